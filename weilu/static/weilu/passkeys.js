/* Passkeys: the device is asked on a press, its answer goes into the form, and the form is sent as any other. */
(() => {
  "use strict";
  const has = () => window.webauthnJSON && window.webauthnJSON.supported();
  const answer = async (form, ask) => {
    const says = form.querySelector("[data-passkey-says]");
    try {
      form.querySelector("[name=credential]").value = JSON.stringify(await ask());
      form.submit();
    } catch (error) {
      if (says) says.textContent = says.dataset.failed;
      form.querySelectorAll("button").forEach((button) => { button.classList.remove("disabled"); button.removeAttribute("aria-disabled"); });
    }
  };
  const options = async (form) => {
    const reply = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!reply.ok) throw new Error("no answer");
    return (await reply.json()).request_options;
  };
  const on = (selector, ask) => document.querySelectorAll(selector).forEach((form) => {
    if (!has()) { form.hidden = form.matches("[data-passkey-login], [data-passkey-get]"); return; }
    form.addEventListener("submit", (event) => { event.preventDefault(); answer(form, () => ask(form)); });
  });
  const start = () => {
    on("[data-passkey-login]", async (form) => window.webauthnJSON.get(await options(form)));
    on("[data-passkey-get]", (form) => window.webauthnJSON.get(JSON.parse(form.dataset.passkeyGet)));
    on("[data-passkey-create]", (form) => {
      const wanted = JSON.parse(form.dataset.passkeyCreate);
      Object.assign(wanted.publicKey.authenticatorSelection, { residentKey: "required", requireResidentKey: true, userVerification: "required" });
      return window.webauthnJSON.create(wanted);
    });
  };
  start();
})();

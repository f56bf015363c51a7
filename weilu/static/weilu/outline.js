/* Drawing an outline: a tap adds a corner, a corner is dragged, a tap on it takes it away, a tap on a hollow dot adds one
   between two. The field below the map holds the same as GeoJSON and is what is sent. */
(() => {
  "use strict";
  const node = document.querySelector("[data-outline]");
  const field = document.querySelector("#id_geometry");
  if (!node || !field || !window.weiluMap) return;
  node.hidden = false;
  const map = window.weiluMap.open(node);
  const corners = [];
  const marks = L.layerGroup().addTo(map);
  const area = L.polygon([], { className: "map-area map-drawn", weight: 2, interactive: false }).addTo(map);
  const say = document.querySelector("[data-outline-says]");
  const icon = (hollow) => L.divIcon({ className: hollow ? "map-corner map-between" : "map-corner", iconSize: [20, 20] });
  const round = (number) => Math.round(number * 1e6) / 1e6;

  const write = () => {
    const ring = corners.map((at) => [round(at.lng), round(at.lat)]);
    field.value = ring.length > 2 ? JSON.stringify({ type: "Polygon", coordinates: [[...ring, ring[0]]] }) : "";
  };
  const draw = () => {
    area.setLatLngs(corners);
    marks.clearLayers();
    corners.forEach((at, index) => {
      const mark = L.marker(at, { draggable: true, icon: icon(false), keyboard: false }).addTo(marks);
      mark.on("drag", () => { corners[index] = mark.getLatLng(); area.setLatLngs(corners); });
      mark.on("dragend", () => { write(); draw(); });
      mark.on("click", () => { corners.splice(index, 1); write(); draw(); });
      const next = corners[(index + 1) % corners.length];
      if (corners.length < 3) return;
      const between = L.latLng((at.lat + next.lat) / 2, (at.lng + next.lng) / 2);
      L.marker(between, { icon: icon(true), keyboard: false }).addTo(marks).on("click", () => { corners.splice(index + 1, 0, between); write(); draw(); });
    });
  };
  const read = () => {
    corners.length = 0;
    let given = null;
    try { given = field.value.trim() ? JSON.parse(field.value) : null; } catch { say.textContent = say.dataset.unreadable; return; }
    say.textContent = "";
    if (given && given.type === "Polygon" && given.coordinates.length === 1 && given.coordinates[0].length <= 200) {
      given.coordinates[0].slice(0, -1).forEach(([lng, lat]) => corners.push(L.latLng(lat, lng)));
      draw();
      map.fitBounds(area.getBounds(), { padding: [40, 40] });
    } else if (given) {
      say.textContent = say.dataset.complex;
      draw();
      L.geoJSON(given, { className: "map-area map-drawn", interactive: false }).addTo(marks);
    } else { draw(); }
  };

  map.on("click", (event) => { corners.push(event.latlng); write(); draw(); });
  document.querySelector("[data-outline-undo]").addEventListener("click", () => { corners.pop(); write(); draw(); });
  document.querySelector("[data-outline-clear]").addEventListener("click", () => { corners.length = 0; write(); draw(); });
  field.addEventListener("change", read);
  if (node.dataset.around) window.weiluMap.load(node.dataset.around).then((found) => {
    const others = { ...found, features: found.features.filter((each) => each.properties.code !== node.dataset.code) };
    window.weiluMap.polygons(others, "map-around").eachLayer((layer) => { layer.off("click"); }).addTo(map).bringToBack();
  }).catch(() => {});
  // What it has to lie in: seen, not touched.
  if (node.dataset.within) window.weiluMap.load(node.dataset.within).then((found) => {
    window.weiluMap.polygons(found, "map-within").eachLayer((layer) => { layer.off("click"); }).addTo(map).bringToBack();
  }).catch(() => {});
  read();
})();

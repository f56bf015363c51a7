/* Maps: outlines and points that the page's own addresses give as GeoJSON. The table beside each says the same. */
(() => {
  "use strict";
  const text = (value) => { const span = document.createElement("span"); span.textContent = value; return span; };

  // A map on which a page's other scripts can go on; tiles only where a tile address is set.
  const open = (node) => {
    const words = node.dataset;
    const map = L.map(node, { attributionControl: false, zoomControl: false, zoomSnap: 0.25, maxZoom: 19 });
    L.control.zoom({ zoomInTitle: words.zoomIn, zoomOutTitle: words.zoomOut }).addTo(map);
    L.control.scale({ imperial: false }).addTo(map);
    if (words.tiles) L.tileLayer(words.tiles, { maxZoom: 19 }).addTo(map);
    const [west, south, east, north] = words.box.split(",").map(Number);
    map.fitBounds([[south, west], [north, east]], { padding: [12, 12] });
    return map;
  };
  const load = async (address) => {
    const answer = await fetch(address, { headers: { "X-Requested-With": "fetch" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };
  // Another app's points come as a plain list.
  const asFeatures = (found) => found.points ? { type: "FeatureCollection", features: found.points.map((each) => ({
    type: "Feature", geometry: { type: "Point", coordinates: [each.longitude, each.latitude] },
    properties: { name: each.name, note: [each.kind_name, each.place_name].filter(Boolean).join(" "), url: each.url, kind: "venue" },
  })) } : found;
  const name = (layer, properties, permanent) => {
    const words = [properties.name, properties.count === undefined ? "" : properties.count, properties.note || ""].filter((word) => word !== "").join(" · ");
    layer.bindTooltip(text(words), permanent ? { permanent: true, direction: "center", className: "map-name" } : { sticky: true });
  };
  const polygons = (found, more = "") => L.geoJSON(found, {
    style: (feature) => ({ className: `map-area map-${feature.properties.kind || "place"} shade-${feature.properties.shade ?? "none"} ${more}`, weight: 1.5 }),
    onEachFeature: (feature, layer) => {
      name(layer, feature.properties, found.features.length <= 40 && !feature.properties.kind);
      if (feature.properties.url) layer.on("click", () => location.assign(feature.properties.url));
    },
  });
  // A name is shown where its outline has room for it and no name of a larger outline stands in its way; the others show
  // theirs under the pointer, and in the table.
  const fit = (map, layer) => {
    const named = [], shown = [];
    layer.eachLayer((each) => {
      const label = each.getTooltip();
      if (!label || !label.options.permanent || !label.getElement()) return;
      const box = each.getBounds();
      const width = map.latLngToLayerPoint(box.getNorthEast()).x - map.latLngToLayerPoint(box.getSouthWest()).x;
      named.push({ node: label.getElement(), width });
    });
    for (const { node, width } of named.sort((one, other) => other.width - one.width)) {
      const box = node.getBoundingClientRect();
      const meets = shown.some((other) => box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom);
      const off = node.offsetWidth > width * 1.15 || meets;
      node.classList.toggle("map-name-off", off);
      if (!off) shown.push(box);
    }
  };
  const points = (found) => L.geoJSON(found, {
    pointToLayer: (feature, at) => L.circleMarker(at, { radius: 7, weight: 2, className: `map-point map-${feature.properties.kind || "point"}` }),
    onEachFeature: (feature, layer) => {
      name(layer, feature.properties, false);
      if (feature.properties.url) layer.on("click", () => location.assign(feature.properties.url));
    },
  });

  // On paper a map is as wide as A4 between its margins.
  const onPaper = (node, map, layer) => {
    const size = (width) => {
      [node.style.width, node.style.height] = [width, width && "420px"];
      map.invalidateSize({ animate: false });
      map.fitBounds(layer.getBounds(), { padding: [12, 12], animate: false });
      fit(map, layer);
    };
    addEventListener("beforeprint", () => size("680px"));
    addEventListener("afterprint", () => size(""));
  };

  const show = async (node) => {
    const map = open(node);
    const say = document.querySelector("[data-map-says]");
    try {
      const [areas, spots] = await Promise.all([load(node.dataset.areas), node.dataset.points ? load(node.dataset.points).then(asFeatures) : null]);
      const layer = polygons(areas).addTo(map);
      if (areas.features.length) map.fitBounds(layer.getBounds(), { padding: [12, 12] });
      fit(map, layer);
      map.on("zoomend", () => fit(map, layer));
      if (areas.features.length) onPaper(node, map, layer);
      if (spots) points(spots).addTo(map);
      if (node.dataset.laps) polygons(await load(node.dataset.laps)).addTo(map);
      if (say) say.textContent = areas.features.length ? "" : say.dataset.empty;
      node.dataset.ready = String(areas.features.length);
    } catch (error) {
      if (say) say.textContent = say.dataset.failed;
    }
  };

  window.weiluMap = { open, load, polygons };
  document.querySelectorAll("[data-map]").forEach((node) => { node.hidden = false; show(node); });
})();

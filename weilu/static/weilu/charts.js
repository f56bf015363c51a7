/* Charts: drawn as SVG out of the data that the server put beside each; the table says the same. */
(() => {
  "use strict";
  const INK = "#1b1f24", SOFT = "#4c5562", LINE = "#dfe2e6", DARK = "#b3121d", LIGHT = "#b9bec6", MARKED = "#5c0a10";
  const PAPER = 680, TALL = 840;  // as wide as A4 between its margins, and no higher than a page
  const root = getComputedStyle(document.documentElement);
  const size = Math.round(parseFloat(root.fontSize) * 0.8125);
  const font = { fontFamily: getComputedStyle(document.body).fontFamily, fontSize: size, color: INK };
  const number = (value) => value === null || value === undefined ? "–" : value.toLocaleString("zh-CN", { maximumFractionDigits: 1 });
  // 万 only where the room of a chart is short.
  const short = (value) => Math.abs(value) >= 10000 && document.documentElement.lang.startsWith("zh") ? `${number(value / 10000)}万` : number(value);
  const colours = (data) => data.series.length > 1 ? [LIGHT, DARK] : [DARK];

  const tip = (data) => ({
    trigger: "axis", renderMode: "richText", confine: true, axisPointer: { type: "shadow", shadowStyle: { color: "rgba(27, 31, 36, .06)" } },
    backgroundColor: "#fff", borderColor: SOFT, textStyle: font,
    formatter: (found) => [found[0].name, ...found.map((each) => `${each.seriesName}  ${number(each.value)} ${data.unit}`)].join("\n"),
  });
  const legend = (data) => data.series.length > 1 ? { top: 0, left: 0, itemWidth: size, itemHeight: size, textStyle: font, selectedMode: false } : { show: false };
  const values = (data) => ({ type: "value", axisLabel: { ...font, color: SOFT, formatter: short, hideOverlap: true }, splitLine: { lineStyle: { color: LINE } } });
  const names = (data, more = {}) => ({
    type: "category", data: data.labels, axisTick: { show: false }, axisLine: { lineStyle: { color: SOFT } },
    axisLabel: { ...font, ...more },
  });
  // The number stands at the bar, so that paper says it too.
  const written = (data, position) => ({ show: true, position, ...font, backgroundColor: "#fff", padding: [0, 2], formatter: (each) => short(each.value) });
  const base = (data) => ({ animation: false, textStyle: font, tooltip: tip(data), legend: legend(data), color: colours(data) });

  const upright = (data) => ({
    ...base(data), grid: { left: 4, right: 8, top: data.series.length > 1 ? size * 2.6 : size * 1.6, bottom: 4, containLabel: true },
    xAxis: names(data, { hideOverlap: true }), yAxis: values(data),
    series: data.series.map((each, at) => ({
      type: data.kind === "lines" ? "line" : "bar", name: each.name, data: each.values, barGap: "0%", barCategoryGap: "28%", symbolSize: 8, connectNulls: false,
      lineStyle: { width: 3 }, itemStyle: { color: colours(data)[at] },
    })),
  });
  const lying = (data) => ({
    ...base(data), grid: { left: 4, right: size * 4, top: data.series.length > 1 ? size * 2.6 : size * (data.median === null || data.median === undefined ? .5 : 2), bottom: 4, containLabel: true },
    xAxis: { ...values(data), axisLabel: { show: false }, splitLine: { show: false } },
    yAxis: { ...names(data, { width: Math.min(size * 11, innerWidth / 4), overflow: "truncate", interval: 0 }), inverse: true },
    series: data.series.map((each, at) => ({
      type: "bar", z: 6, name: each.name, barGap: "0%", barMaxWidth: size * 1.6, itemStyle: { color: colours(data)[at] }, label: written(data, "right"),
      data: each.values.map((value, line) => ({ value, itemStyle: data.labels[line] === data.marked ? { color: MARKED } : undefined })),
      markLine: at || data.median === null || data.median === undefined ? undefined : {
        silent: true, symbol: "none", lineStyle: { color: INK, type: "dashed", width: 1.5 }, data: [{ xAxis: data.median }],
        label: { ...font, position: "start", distance: 4, formatter: `${data.medianName} ${number(data.median)}` },
      },
    })),
  });
  const option = (data) => data.kind === "columns" || data.kind === "lines" ? upright(data) : lying(data);

  const charts = [];
  const draw = (node) => {
    const data = JSON.parse(document.getElementById(node.dataset.chart).textContent);
    if (!data.labels.length) { node.hidden = true; return; }
    node.replaceChildren();
    const chart = echarts.init(node, null, { renderer: "svg" });
    chart.setOption(option(data));
    chart.on("click", (found) => {
      const link = data.series[found.seriesIndex]?.links[found.dataIndex];
      if (link) location.assign(link);
    });
    node.dataset.ready = "true";
    charts.push(chart);
  };
  if (window.echarts) {
    document.documentElement.classList.add("has-charts");  // charts have their height from now on
    document.querySelectorAll("[data-chart]").forEach(draw);
  }
  let waiting = 0;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(() => charts.forEach((chart) => chart.resize()), 100); });

  // On paper charts are as wide as the page, and tables that were folded are open.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("main details:not([open]):not(.no-print)")];
    opened.forEach((node) => { node.open = true; });
    charts.forEach((chart) => { chart.resize({ width: PAPER, height: Math.min(TALL, chart.getHeight()) }); chart.getZr().flush(); });
  });
  addEventListener("afterprint", () => {
    opened.forEach((node) => { node.open = false; });
    charts.forEach((chart) => chart.resize({ width: "auto", height: "auto" }));
  });
  document.querySelectorAll("[data-print]").forEach((button) => { button.hidden = false; button.addEventListener("click", () => print()); });
})();

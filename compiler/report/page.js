// Values under the pointer, for the plots of activations. Written so that the page stays XML.
(function () {
  "use strict";
  function numbers(text) { return text ? text.split(" ").map(Number) : []; }
  function short(v) { return isFinite(v) ? String(Number(v.toPrecision(3))) : "\u2013"; }
  document.querySelectorAll("svg[data-lo]").forEach(function (svg) {
    var d = svg.dataset, lo = Number(d.lo), hi = Number(d.hi), left = Number(d.left), width = Number(d.width);
    var f = numbers(d.f), p = numbers(d.p), bins = numbers(d.bins);
    var cursor = svg.querySelector(".cursor"), read = svg.parentNode.querySelector(".read"), rest = read.textContent;
    svg.addEventListener("pointermove", function (event) {
      var at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      var s = Math.min(Math.max((at.x - left) / width, 0), 1), k = Math.round(s * (f.length - 1));
      cursor.setAttribute("x1", left + s * width);
      cursor.setAttribute("x2", left + s * width);
      cursor.style.visibility = "visible";
      read.textContent = "x = " + short(lo + s * (hi - lo)) + "   function " + short(f[k]) + "   polynomial " + short(p[k]) +
        "   error " + short(p[k] - f[k]) + "   inputs here " + short(100 * bins[Math.min(Math.floor(s * bins.length), bins.length - 1)]) + " %";
    });
    svg.addEventListener("pointerleave", function () {
      cursor.style.visibility = "hidden";
      read.textContent = rest;
    });
  });
}());

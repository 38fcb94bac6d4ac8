// In a frame of another page: tells that page how high the discussion is, and opens links beyond it in the whole window.
// It is told to whoever has the frame: how high it is is no secret, and only pages of the site may have it.
let told = 0;

function tell() {
  const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
  if (height === told) return;
  told = height;
  parent.postMessage({ type: "tertulia:height", height }, "*");
  // the same for <amp-iframe resizable>
  parent.postMessage({ sentinel: "amp", type: "embed-size", height }, "*");
}

if (parent !== window) new ResizeObserver(tell).observe(document.documentElement);

document.addEventListener("click", (event) => {
  const link = event.composedPath().find((one) => one instanceof HTMLAnchorElement);
  if (link?.href && link.origin !== location.origin) link.target = "_top";
}, { capture: true });

// At the end of a sign-in: hands its code to the page that began it, in its window where that answers, else by its address.
const ANSWER_MS = 1000;
const handover = document.getElementById("handover");
const { code, state, origin } = handover.dataset;
const back = handover.querySelector("a").href;

// a page of another origin, whoever opened this window, hears nothing of it
if (opener) {
  addEventListener("message", (event) => {
    if (event.origin !== origin || event.data?.type !== "tertulia.heard" || event.data.state !== state) return;
    clearTimeout(leaving);
    close();
  });
  opener.postMessage({ type: "tertulia.code", code, state }, origin);
}
const leaving = setTimeout(() => location.replace(back), opener ? ANSWER_MS : 0);

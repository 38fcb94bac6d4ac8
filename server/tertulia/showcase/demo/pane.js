// Follows what is new, as somebody does who only watches: the discussion itself never moves what is being read.

const TOP_PX = 40;
let follows = true;

for (const kind of ['wheel', 'touchmove', 'pointerdown', 'keydown']) {
  addEventListener(kind, () => { follows = false; }, { passive: true });
}
addEventListener('scroll', () => { follows ||= scrollY < TOP_PX; }, { passive: true });
// whoever goes back to the buttons watches again
addEventListener('blur', () => { follows = true; });

for (const kind of ['tertulia-comment', 'tertulia-unseen']) {
  addEventListener(kind, () => { if (follows) scrollTo(0, 0); });
}

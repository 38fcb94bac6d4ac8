/** Generated from the catalogue of the server by build.js. */
export default {
  "slow_mode": {
    "one": "Slow mode: one comment every {n} second.",
    "other": "Slow mode: one comment every {n} seconds."
  },
  "slow_mode_minutes": {
    "one": "Slow mode: one comment every {n} minute.",
    "other": "Slow mode: one comment every {n} minutes."
  },
  "closes_at": "Open for comments until {name}.",
  "nudge_word": "Before you send it: could “{name}” hurt somebody?",
  "nudge": "Before you send it: could this hurt somebody?",
  "nudge_edit": "Edit",
  "nudge_send": "Send anyway"
};

/** Generated from the catalogue of the server by build.js. */
export default {
  "send_reply": "Post reply",
  "cancel": "Cancel",
  "save": "Save",
  "no_text": "Please write something first.",
  "no_name": "Please give a name.",
  "too_long": {
    "one": "{n} character too many",
    "other": "{n} characters too many"
  },
  "left": {
    "one": "{n} character left",
    "other": "{n} characters left"
  },
  "draft_saved": "Draft saved on this device",
  "sending": "Sending…",
  "queued": "Waiting for the connection. It will be sent by itself.",
  "slow_down": {
    "one": "You are quick. It will be sent by itself in {n} second.",
    "other": "You are quick. It will be sent by itself in {n} seconds."
  },
  "failed": "Not sent.",
  "send_now": "Send now",
  "discard": "Discard",
  "posted": "Your comment is posted.",
  "posted_held": "Thank you. Your comment will appear once a moderator has approved it.",
  "formatting": "Formatting",
  "bold": "Bold",
  "italic": "Italic",
  "code": "Code",
  "quotation": "Quotation",
  "list": "List",
  "insert_link": "Link",
  "preview": "Preview",
  "preview_error": "The preview could not be loaded.",
  "extras_error": "This could not be loaded. Try again, or reload the page.",
  "deleted_now": "Your comment is deleted.",
  "undo": "Undo",
  "copied": "Link copied",
  "report_why": "What is wrong with this comment?",
  "reason_spam": "Spam or advertising",
  "reason_abuse": "Insult or harassment",
  "reason_off_topic": "Off topic",
  "reason_illegal": "Against the law",
  "reason_other": "Something else",
  "report_note": "What should the moderators know? (optional)",
  "report_send": "Send report",
  "reported": "Thank you. The moderators will look at it.",
  "sign_in": "Sign in to comment",
  "signed_in_as": "Signed in as {name}",
  "report": "Report",
  "new_replies": {
    "one": "{n} new reply",
    "other": "{n} new replies"
  },
  "since_last_visit": "New since your last visit",
  "next_new": "Next new comment",
  "no_match": "No comment matches.",
  "matches": {
    "one": "{n} comment matches",
    "other": "{n} comments match"
  }
};

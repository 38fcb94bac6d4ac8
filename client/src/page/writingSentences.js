/** Generated from the catalogue of the server by build.js. */
export default {
  "write_comment": "Write a comment",
  "quote": "Quote",
  "show_all": "Show all",
  "show_less": "Show less",
  "link": "Copy link",
  "send_reply": "Post reply",
  "cancel": "Cancel",
  "save": "Save",
  "no_text": "Please write something first.",
  "no_name": "Please enter your name.",
  "name_too_long": {
    "one": "Your name is {n} character too long.",
    "other": "Your name is {n} characters too long."
  },
  "too_long": {
    "one": "Your comment is {n} character too long.",
    "other": "Your comment is {n} characters too long."
  },
  "left": {
    "one": "{n} character left",
    "other": "{n} characters left"
  },
  "draft_saved": "Draft saved on this device",
  "sending": "Sending…",
  "queued": "Waiting for a connection. This will be sent automatically.",
  "slow_down": {
    "one": "You're posting quickly. This will be sent automatically in {n} second.",
    "other": "You're posting quickly. This will be sent automatically in {n} seconds."
  },
  "failed": "Not sent.",
  "send_now": "Send now",
  "discard": "Discard",
  "posted": "Your comment has been posted.",
  "posted_held": "Thank you. Your comment will appear once a moderator has approved it.",
  "own_vote": "You can't vote on your own comment.",
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
  "deleting": "Deleting…",
  "deleted_now": "Your comment has been deleted.",
  "undo": "Undo",
  "kept": "Your comment was not deleted.",
  "copied": "Link copied",
  "report": "Report",
  "new_replies": {
    "one": "{n} new reply",
    "other": "{n} new replies"
  },
  "hide_replies": {
    "one": "Hide {n} reply",
    "other": "Hide {n} replies"
  },
  "show_replies": {
    "one": "Show {n} reply",
    "other": "Show {n} replies"
  },
  "show_more_replies": {
    "one": "Show {n} more reply",
    "other": "Show {n} more replies"
  },
  "since_last_visit": "New since your last visit",
  "next_new": "Next new comment",
  "no_match": "No comments match.",
  "matches": {
    "one": "{n} comment matches",
    "other": "{n} comments match"
  }
};

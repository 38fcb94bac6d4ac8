/** Generated from the catalogue of the server by build.js. */
export default {
  "all_comments": "All comments [ {n} ]",
  "loading": "Loading comments…",
  "no_comments": "Nobody has said anything yet. You can be the first.",
  "no_comments_closed": "Nobody has said anything here.",
  "load_error": "The comments could not be loaded.",
  "try_again": "Try again",
  "order": "Order of the comments",
  "oldest": "Oldest first",
  "newest": "Newest first",
  "top": "Most liked first",
  "moderator": "moderator",
  "edited": "edited",
  "pinned": "pinned",
  "held": "Waiting for approval",
  "removed": "This comment was removed by a moderator.",
  "deleted": "This comment was deleted by its author.",
  "replying_to": "replying to {name}",
  "reply": "Reply",
  "reply_to": "Reply to {name}",
  "vote_up": "Like",
  "vote_down": "Dislike",
  "edit": "Edit",
  "delete": "Delete",
  "more_actions": "More",
  "quote": "Quote",
  "link": "Copy link",
  "show_more": {
    "one": "Show {n} more comment",
    "other": "Show {n} more comments"
  },
  "more_replies": "Show more replies",
  "new_comments": {
    "one": "{n} new comment",
    "other": "{n} new comments"
  },
  "live": "Live: on",
  "paused": "Live: off",
  "paused_new": "Live: off ({n})",
  "readers": {
    "one": "{n} reading",
    "other": "{n} reading"
  },
  "writers": {
    "one": "Someone is writing…",
    "other": "{n} people are writing…"
  },
  "connecting": "Connecting…",
  "reconnecting": "Reconnecting…",
  "offline": "Offline",
  "stopped": "No live updates",
  "search": "Search the comments",
  "your_comments": "Your comments",
  "closed": "The discussion is closed. It can still be read.",
  "name": "Name",
  "text": "Comment",
  "send": "Post comment",
  "held_mode": "Comments appear here once a moderator has approved them.",
  "form_error": "The form could not be loaded."
};

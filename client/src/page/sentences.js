/** Generated from the catalogue of the server by build.js. */
export default {
  "all_comments": "All comments [ {n} ]",
  "loading": "Loading comments…",
  "no_comments": "No comments yet. Be the first to comment.",
  "no_comments_closed": "There are no comments.",
  "load_error": "The comments could not be loaded.",
  "try_again": "Try again",
  "order": "Sort comments",
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
  "more_actions_for": "More actions for {name}",
  "show_more": {
    "one": "Show {n} more comment",
    "other": "Show {n} more comments"
  },
  "show_more_of": {
    "one": "Show {n} more comment and its replies ({total} left)",
    "other": "Show {n} more comments and their replies ({total} left)"
  },
  "more_replies": "Show more replies",
  "more_replies_of": "Show more replies ({total} left)",
  "new_comments": {
    "one": "{n} new comment",
    "other": "{n} new comments"
  },
  "live": "Live updates",
  "readers": {
    "one": "{n} reader",
    "other": "{n} readers"
  },
  "writers": {
    "one": "Someone is writing…",
    "other": "{n} people are writing…"
  },
  "connecting": "Connecting…",
  "reconnecting": "Reconnecting…",
  "offline": "Offline",
  "stopped": "No live updates",
  "search": "Search comments",
  "your_comments": "Your comments",
  "closed": "This discussion is closed. You can still read it.",
  "name": "Name",
  "text": "Comment",
  "send": "Post comment",
  "held_mode": "Comments appear here once a moderator has approved them.",
  "form_error": "The form could not be loaded."
};

/** Generated from the catalogue of the server by build.js. */
export default {
  "report_why": "What is wrong with this comment?",
  "reason_spam": "Spam or advertising",
  "reason_abuse": "Insults or harassment",
  "reason_off_topic": "Off topic",
  "reason_illegal": "Illegal content",
  "reason_other": "Something else",
  "no_reason": "Please choose a reason.",
  "report_note": "What should the moderators know? (optional)",
  "report_send": "Send report",
  "reported": "Thank you. The moderators will look into it.",
  "sign_in": "Sign in to comment",
  "signed_in_as": "Signed in as {name}",
  "sign_out": "Not you? Sign out",
  "sign_in_now": "Sign in"
};

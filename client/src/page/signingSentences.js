/** Generated from the catalogue of the server by build.js. */
export default {
  "sign_in_with": "Continue with {name}",
  "email": "Email address",
  "send_code": "Send me a code",
  "code_sent": "We’ve sent a six-digit code to {name}.",
  "mail_code": "Code from the email",
  "other_address": "Use another address",
  "bad_code": "That code doesn’t match the one in the email. Please check it and try again.",
  "code_over": "That code has expired. Please request a new one.",
  "choose_name": "Choose the name that others will see.",
  "no_ways": "Signing in isn’t available here yet.",
  "no_answer": "The server can’t be reached. Please try again.",
  "bad_address": "Please enter an email address such as name@example.com."
};

/** The name of the file with the actions, which has the digest of its content; set by build.js. */
declare const ACTIONS_FILE: string;
declare module '*.css' {
  const text: string;
  export default text;
}

/** The names of the files that are loaded later, which have the digests of their contents; set by build.js. */
declare const ABOUT_FILE: string;
declare const ACTIONS_FILE: string;
declare const EXTRAS_FILE: string;
declare const MORE_FILE: string;
declare const DIAGNOSIS_FILE: string;
declare const THREADS_FILE: string;
declare const LETTERS_FILE: string;
declare const SHARING_FILE: string;
declare const SIGN_FILE: string;
declare module '*.css' {
  const text: string;
  export default text;
}

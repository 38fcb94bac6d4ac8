/** `randomUUID` is missing on plain-http origins; 16 random bytes in hexadecimal serve as well. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => (byte + 256).toString(16).slice(1)).join('');
}

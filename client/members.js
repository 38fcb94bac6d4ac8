/**
 * Members of our own objects that get short names in the bundles, the same in all files: 1.5 % of embed.js. No browser, no message
 * and no page knows one of them; test/members.test.js looks. See docs/decisions/0040-short-names.md.
 */
export const OWN = `
  adoptStyles addPage bufferedEvents canEdit canReply cards chunkAtEnd chunkBefore chunks clock commands composeHeading
  controllers dispatch emit formatTime headingLevel isAnnounced isCredentialed isLive isLoaded isOwn isPaused isShown keepPlace liveRegion loadActions
  loader nameField nextPage nextPages noteReplies parentCard pillButton place preserveScroll received reorder repliesTo retryAfter roots setCount setLive
  setMode setReaders setState setUnseen setWriting settings skippedFrom snapshot stateText summarise takeEarly thread tokenEndpoint tokenName unloaded
  updateAll
`.split(/\s+/).filter(Boolean);

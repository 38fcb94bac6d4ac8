/**
 * Members of our own objects that get short names in the bundles, the same in all files: 1.5 % of embed.js. No browser, no message
 * and no page knows one of them; test/members.test.js looks. See docs/decisions/0040-short-names.md.
 */
export const OWN = `
  adoptStyles addPage bufferedEvents canEdit canReply cards chunkAtEnd chunkBefore chunks clock commands composeHeading
  dispatch emit formatTime headingLevel isAnnounced isCredentialed isLoaded isOwn isPaused isShown keepPlace liveRegion loadActions
  loader nameField nextPage nextPages noteReplies parentCard pillButton place received reorder repliesTo retryAfter roots setLive
  setMode setReaders setState setUnseen setWriting settings skippedFrom snapshot stateText summarise takeEarly thread tokenEndpoint tokenName unloaded
  updateAll threadCounts hasMoved isOnline isShortDate newForm refreshed skippedCount mount askToSignIn closeForm isStranger isUnknown openForm showError
  newestToken
`.split(/\s+/).filter(Boolean);

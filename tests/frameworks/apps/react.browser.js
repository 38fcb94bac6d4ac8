import { createElement, StrictMode } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { App } from './react.jsx';

globalThis.start = () => {
  const onRecoverableError = (/** @type {unknown} */ error) => console.error('recovered from', String(error));
  hydrateRoot(document.getElementById('root'), createElement(StrictMode, null, createElement(App)), { onRecoverableError });
};

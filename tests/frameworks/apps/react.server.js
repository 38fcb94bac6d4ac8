import { createElement, StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { App } from './react.jsx';

export const render = () => renderToString(createElement(StrictMode, null, createElement(App)));

import { renderToString } from '@vue/server-renderer';
import { createSSRApp } from 'vue';
import { App } from './vue.js';

export const render = () => renderToString(createSSRApp(App));

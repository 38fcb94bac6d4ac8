import { createSSRApp } from 'vue';
import { App } from './vue.js';

globalThis.start = () => void createSSRApp(App).mount('#root');

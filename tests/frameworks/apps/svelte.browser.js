import { hydrate } from 'svelte';
import App from './App.svelte';

globalThis.start = () => void hydrate(App, { target: document.getElementById('root') });

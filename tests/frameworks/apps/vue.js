import { h, ref } from 'vue';
import Discussion from 'documentation:vue';

export const App = {
  setup() {
    const isFlipped = ref(false);
    const url = ref('first');
    const isOn = ref(true);
    Object.assign(globalThis, { flip: () => (isFlipped.value = true), to: (/** @type {string} */ one) => (url.value = one), off: () => (isOn.value = false) });
    return () => {
      const inside = () => h('a', { href: '/comments' }, 'Read the comments');
      const discussion = isOn.value ? [h(Discussion, { key: 'discussion', url: url.value }, inside)] : [];
      const text = h('p', { key: 'text' }, 'An article.');
      return h('main', isFlipped.value ? [...discussion, text] : [text, ...discussion]);
    };
  },
};

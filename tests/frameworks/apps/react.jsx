import { useState } from 'react';
import { Discussion } from 'documentation:jsx';

export function App() {
  const [isFlipped, flip] = useState(false);
  const [url, to] = useState('first');
  const [isOn, setOn] = useState(true);
  Object.assign(globalThis, { flip: () => flip(true), to, off: () => setOn(false) });
  const discussion = isOn && <Discussion key="discussion" url={url}><a href="/comments">Read the comments</a></Discussion>;
  const text = <p key="text">An article.</p>;
  return <main>{isFlipped ? [discussion, text] : [text, discussion]}</main>;
}

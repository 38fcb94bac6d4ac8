import { TertuliaDiscussion } from './element.js';

// a page that includes the script twice keeps the first
if (!customElements.get('tertulia-discussion')) customElements.define('tertulia-discussion', TertuliaDiscussion);

import { render } from 'preact';
import './page.css';
import { App } from './views/app.tsx';

render(<App />, document.getElementById('page') as HTMLElement);

import { runService } from '../adapters/host.ts';
import { inventoryService } from './service.ts';

await runService('inventory', inventoryService);

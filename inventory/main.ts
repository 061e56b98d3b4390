import { runService } from '../programs/host.ts';
import { inventoryService } from './service.ts';

await runService('inventory', inventoryService);

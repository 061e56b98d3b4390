import { runFunctions } from '../adapters/functions-host.ts';
import { inventoryService } from './service.ts';

await runFunctions('inventory', inventoryService);

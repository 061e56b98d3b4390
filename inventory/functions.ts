import { runFunctions } from '../programs/functions-host.ts';
import { inventoryService } from './service.ts';

await runFunctions('inventory', inventoryService);

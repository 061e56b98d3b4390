import { runFunctions } from '../adapters/functions-host.ts';
import { inventoryService } from './service.ts';

runFunctions('inventory', inventoryService);

// Writes the chain specification of Rococo Asset Hub, raw genesis and runtime included, to the file named.
import fs from 'node:fs'
import * as specs from '@substrate/connect-known-chains'

fs.writeFileSync(process.argv[2], specs.rococo_v2_2_asset_hub)

// Makes blocks with transfers at a chopsticks, and prints as JSON what polkadot.js reads of them.
// Arguments: WebSocket address, number of blocks.
import { ApiPromise, WsProvider } from '@polkadot/api'
import { u8aToHex } from '@polkadot/util'

const [address, blocks] = [process.argv[2], Number(process.argv[3])]
const api = await ApiPromise.create({ provider: new WsProvider(address), noInitWarn: true })
const account = (byte) => u8aToHex(new Uint8Array(32).fill(byte))
const [ann, bob] = [account(1), account(2)]

const coins = 1_000_000_000_000_000n
const data = { free: coins.toString(), reserved: 0, miscFrozen: 0, feeFrozen: 0 }
await api._rpcCore.provider.send('dev_setStorage', [
  { System: { Account: [[[ann], { providers: 1, data }], [[bob], { providers: 1, data }]] } },
])

// A runtime of a chopsticks takes this for a signature of anyone's.
const signature = '0xdeadbeef' + 'cd'.repeat(60)
const signed = (call, nonce) => {
  const extrinsic = api.createType('Extrinsic', { method: call.method })
  const era = api.createType('ExtrinsicEra', '0x00')
  extrinsic.signFake(ann, {
    blockHash: api.genesisHash, genesisHash: api.genesisHash, runtimeVersion: api.runtimeVersion,
    era, nonce, tip: 0, method: call.method,
  })
  extrinsic.signature.set(api.createType('MultiSignature', { Sr25519: signature }).inner.toU8a())
  return extrinsic.toHex()
}

let nonce = 0
for (let block = 0; block < blocks; block += 1) {
  const transactions = []
  for (let place = 0; place < block % 3; place += 1) {
    transactions.push(signed(api.tx.balances.transfer(bob, 1_000_000_000n * BigInt(nonce + 1)), nonce))
    nonce += 1
  }
  await api._rpcCore.provider.send('dev_newBlock', [transactions.length ? { transactions } : {}])
}

const told = []
const last = (await api.rpc.chain.getHeader()).number.toNumber()
for (let number = 1; number <= last; number += 1) {
  const hash = await api.rpc.chain.getBlockHash(number)
  const { block } = await api.rpc.chain.getBlock(hash)
  const at = await api.at(hash)
  const events = await at.query.system.events()
  const moved = events.filter(({ event }) => `${event.section}.${event.method}` === 'balances.Transfer')
  const weight = await at.query.system.blockWeight()
  told.push({
    number,
    hash: hash.toHex(),
    parent_hash: block.header.parentHash.toHex(),
    milliseconds: (await at.query.timestamp.now()).toNumber(),
    extrinsics: block.extrinsics.length,
    events: events.length,
    moved: moved.map(({ event }) => event.data[2].toString()),
    accounts: moved.flatMap(({ event }) => [event.data[0].toHex(), event.data[1].toHex()]),
    weight: [weight.normal, weight.operational, weight.mandatory].map(String),
  })
}
const free = async (who) => (await api.query.system.account(who)).data.free.toString()
console.log(JSON.stringify({
  blocks: told,
  final: (await api.rpc.chain.getFinalizedHead()).toHex(),
  most_weight: api.consts.system.blockWeights.maxBlock.toString(),
  free: { [ann]: await free(ann), [bob]: await free(bob) },
  issuance: (await api.query.balances.totalIssuance()).toString(),
}))
await api.disconnect()
process.exit(0)

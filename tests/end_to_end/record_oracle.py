#!/usr/bin/python3
"""Records what the PyTorch oracle computes for one step of every program of every shipped graph, for read_oracle.c.

    record_oracle.py ORACLE_FOLDER GRAPHS_FOLDER FIXTURES_FOLDER [GRAPH...]

All inputs (parameters, state, moments, feeds, draws) are numbers that both sides make from their names, so only results are kept: of each
tensor its sum, the sum of its absolute values, and up to 24 of its elements, in double. One safetensors file per graph and program.
"""
import json, os, struct, sys, tempfile
import numpy as np
import torch

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
torch.set_num_threads(1)
import machine as machine_module
from document import Document
from machine import Machine
from oracle import state_arrays

STEP, SAMPLES = 7, 24
CASES = [   # graph, -D; all at preset "check"
    ('balance', {}), ('ddpm_mnist', {}), ('features', {}),
    ('latent_diffusion', {}), ('mnist_feature_matching', {}), ('mnist_gan', {}), ('mnist_mgan', {}), ('mnist_minibatch', {}), ('mnist_unrolled', {}),
    ('mnist_wgan', {}), ('ring_balance', {}), ('ring_feature_matching', {}), ('ring_gan', {}), ('ring_mgan', {}), ('ring_minibatch', {}),
    ('ring_spectral_norm', {}), ('ring_unrolled', {}), ('ring_wgan', {}), ('ring_wgan_gp', {}), ('spectral_norm', {}), ('stackgan_stage1', {'E': 32, 'batch': 3}),
    ('stackgan_stage2', {'E': 32, 'batch': 2, 'size': 128, 'GF': 4, 'GF1': 2, 'DF': 2}),
    ('stackgan_stage2_pixelshuffle', {'E': 32, 'batch': 2, 'size': 128, 'GF': 4, 'GF1': 2, 'DF': 2}), ('unrolled_gan', {}), ('wgan_gp', {}), ('everything', {}),
]
MASK = 0xffffffffffffffff


def fnv(text):
    h = 0xcbf29ce484222325
    for byte in text.encode():
        h = (h ^ byte) * 0x100000001b3 & MASK
    return h


def uniform(name, count):
    """24-bit numbers in [0, 1) by splitmix64 of (name, element)."""
    with np.errstate(over='ignore'):
        x = np.uint64(fnv(name)) + np.arange(count, dtype=np.uint64) * np.uint64(0x9e3779b97f4a7c15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
        x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(40)).astype(np.float64) / 2**24


def made(name, shape):
    """Numbers of about the size that such a tensor has in training, f32-exact."""
    u = uniform(name, int(np.prod(shape))).reshape(shape)
    last = name.split('.')[-1]
    if '.v.' in name or last == 'variance':
        x = (0.0001 if '.v.' in name else 1) * (0.5 + u)
    elif '.m.' in name:
        x = 0.01 * (u - 0.5)
    elif last in ('scale', 'latent_n'):
        x = 0.5 + u
    elif last == 'latent_sum2':
        x = 40 + u
    elif len(shape) >= 2 and last == 'weight':
        x = (2 * u - 1) * np.sqrt(3 / np.prod(shape[1:]))
    else:
        x = u - 0.5
    return x.astype(np.float32)


def draw(self, kind, shape, name, below=None):
    if self.device == 'meta':
        return torch.empty(shape, dtype=torch.int32 if kind == 'integer' else self.dtype, device='meta')
    u = uniform(f'draws/{name}@{self.at}', int(np.prod(shape))).reshape(shape)
    array = {'normal': lambda: (3 * u - 1.5).astype(np.float32), 'uniform': lambda: u.astype(np.float32),
             'integer': lambda: np.floor(u * below).astype(np.int32)}[kind]()
    return self.put(array)


def feed(self, feed, scope, repetition, name):
    spec, size = self.field_spec(feed['from']), self.batch(feed, scope)
    shape, dtype = [size] + self.shape(spec['shape'], self.document.scope), spec.get('dtype', 'f32')
    if self.device == 'meta':
        return torch.empty(shape, dtype=machine_module.DTYPES[dtype] or self.dtype, device='meta'), size
    u = uniform(f'feeds/{name}@{self.at}', int(np.prod(shape))).reshape(shape)
    array = (2 * u - 1).astype(np.float32) if dtype == 'f32' else np.floor(u * self.integer(spec['below'], self.document.scope)).astype(np.int32)
    return self.put(array, machine_module.DTYPES[dtype]), size


def before(machine):
    fed = {f'before/{name}': made(name, shape) for name, (shape, _, _) in machine.specs.items()}
    for key, optimizer in machine.optimizers.items():
        for name in optimizer.parameter_names:
            for kind in [*optimizer.moments, *(['ema'] if 'ema' in optimizer.spec else [])]:
                full = f'{key}.{kind}.{name}'
                fed[f'before/{full}'] = made(full, machine.specs[name][0])
        fed[f'before/{key}.count'] = np.int32(3)
    return fed


def summary(array):
    flat = np.asarray(array, dtype=np.float64).reshape(-1)
    where = (np.arange(min(SAMPLES, flat.size), dtype=np.uint64) * np.uint64(2654435761)) % np.uint64(flat.size)
    return np.concatenate([[flat.sum(), np.abs(flat).sum()], flat[where]])


def write(path, arrays, metadata):
    header, offset = {'__metadata__': metadata}, 0
    for name, array in arrays.items():
        header[name] = {'dtype': 'F64', 'shape': list(array.shape), 'data_offsets': [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + b''.join(a.tobytes() for a in arrays.values()))


def record(path, define, program, target):
    machine = Machine(Document(path, dict(define), preset='check'), dtype=torch.float64, keep_log=True)
    machine.prepare([program])
    machine.fed = before(machine)
    scope = machine.program_scope(program)[1]
    for key, shape in machine.document.spec['programs'][program].get('inputs', {}).items():
        name = f'feeds/{program}.{key}@0.0'
        shape = machine.shape(shape, scope)
        machine.fed[name] = (2 * uniform(name, int(np.prod(shape))).reshape(shape) - 1).astype(np.float32)
    machine.materialise()
    phases = machine.document.spec['programs'][program]['phases']
    metadata = {'step': str(STEP), 'epoch_steps': str(machine.epoch_steps(*machine.program_scope(program)[:2])), 'define': json.dumps(define)}
    for phase in phases:
        metadata['repeat.' + phase['name']] = str(machine.repeats(phase, scope))
    machine.program(program, 1, first=STEP)
    arrays = {**machine.log, **state_arrays(machine, 'after')}
    unused = [f'after/{k}.m.' for k, o in machine.optimizers.items() if o.rule in ('sgd', 'rmsprop') and not o.spec[o.rule].get('momentum')]  # not kept there
    arrays = {k: summary(v) for k, v in arrays.items() if not k.startswith(('feeds/', 'draws/', *unused))}
    write(target, arrays, metadata)
    print(f'{os.path.basename(target)}: {len(arrays)} tensors, {os.path.getsize(target):,} bytes')


def with_plain_inputs(document):
    """Inputs that have a default are lets of their program, whose numbers repeat along the first axis: the oracle knows no defaults."""
    for program in document.get('programs', {}).values():
        for key, spec in list(program.get('inputs', {}).items()):
            if isinstance(spec, dict) and 'default' in spec:
                (count,) = spec['shape']
                program.setdefault('let', {})[key] = f'({spec["default"]})[range({count}) % len({spec["default"]})]'
                del program['inputs'][key]
    return document


def with_plain_turns(document):
    """All phases run, as they do in step 0, and calls of a phase say its mode: the oracle knows neither."""
    def say(nodes, mode):
        for node in nodes:
            if 'call' in node:
                node.setdefault('mode', mode)
            say(node.get('nodes', []), mode)
    for program in document.get('programs', {}).values():
        for phase in program['phases']:
            say(phase['nodes'], phase['mode']) if 'mode' in phase else None
            for key in ('mode', 'every', 'when'):
                phase.pop(key, None)
    return document


def with_programs(path):
    """The document with the programs that it takes from its includes written out: the oracle knows no such includes."""
    with open(path) as file:
        document = json.load(file)
    for include in document.get('include', []):
        names = include.pop('programs', []) if isinstance(include, dict) else []
        if names:
            programs = with_programs(os.path.join(os.path.dirname(path), include['file']))['programs']
            document['programs'] = {**{name: programs[name] for name in names}, **document.get('programs', {})}
    return with_plain_turns(with_plain_inputs(document))


Machine.draw, Machine.feed = draw, feed
with tempfile.TemporaryDirectory() as folder:
    for source in (sys.argv[2], sys.argv[3]):
        for inside, _, files in os.walk(source):
            os.makedirs(os.path.join(folder, os.path.relpath(inside, source)), exist_ok=True)
            for name in files:
                if name.endswith('.json') and name != 'schema.json':
                    with open(os.path.join(folder, os.path.relpath(inside, source), name), 'w') as file:
                        json.dump(with_programs(os.path.join(inside, name)), file)
    for graph, define in CASES:
        if len(sys.argv) > 4 and graph not in sys.argv[4:]:
            continue
        path = os.path.join(folder, graph + '.json')
        for program in Document(path, dict(define), preset='check').spec['programs']:
            record(path, define, program, os.path.join(sys.argv[3], f'{graph}.{program}.safetensors'))

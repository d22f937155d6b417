#!/usr/bin/python3
"""Records one training step of both stages of StackGAN by plain PyTorch modules, in double, for driver_parity.c.

    record_stackgan.py GCC_GRAPH GRAPHS_FOLDER FIXTURES_FOLDER

stackgan_stageN.torch.safetensors holds, under PyTorch's names: before/ (f16, so that the file is small), after/ (f32; what the step changes),
feeds/ (image: u8 at 64 x 64, x / 127.5 - 1, each pixel repeated up to the stage's size; text: f16), draws/ (those of gcc-graph with seed SEED,
so that the device draws them itself), report/ (f64). Both Adams stand at COUNT steps, with m = 0 and v = V everywhere, so that a step is a
smooth function of the gradient; in its metadata, like the -D. The weights are the first for which PyTorch in single precision comes to the
same gradients, however it rounds. For others it does not, by up to 0.7 of a tensor's largest change; a unit so close to the kink of its
ReLU that rounding decides on which side would explain that, but it was not isolated.
"""
import copy, json, os, struct, subprocess, sys, tempfile
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SEED, COUNT, V, KL = 5, 3, 1e-3, 2.0
AGREE, ROUNDINGS = 1e-3, 8
SIZES = {1: {'E': 16, 'Z': 8, 'C': 4, 'GF': 4, 'DF': 4, 'batch': 4},
         2: {'E': 16, 'Z': 8, 'C': 4, 'GF': 4, 'GF1': 2, 'DF': 2, 'R': 1, 'batch': 4}}
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


# ---- the networks

def conv(a, b, kernel=3, stride=1, bias=False):
    return nn.Conv2d(a, b, kernel, stride, 0 if bias else 1, bias=bias)


def stage(layer, width, activation=None):
    return [layer, nn.BatchNorm2d(width), activation or nn.LeakyReLU(0.2)]


def up(a, b):
    return nn.Sequential(nn.Upsample(scale_factor=2, mode='nearest'), *stage(conv(a, b), b, nn.ReLU()))


class Augmentation(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.fc = nn.Linear(s['E'], 2 * s['C'])

    def forward(self, text, eps):
        mu, logvar = F.relu(self.fc(text)).chunk(2, 1)
        return mu + eps * torch.exp(logvar / 2), mu, logvar


class Upsampling(nn.Module):
    """Four doublings and the image."""
    def add_upsampling(self, width):
        for i in range(4):
            setattr(self, f'upsample{i + 1}', up(width >> i, width >> (i + 1)))
        self.img = nn.Sequential(conv(width >> 4, 3), nn.Tanh())

    def upsample(self, h):
        for i in range(4):
            h = getattr(self, f'upsample{i + 1}')(h)
        return self.img(h)


class Generator1(Upsampling):
    def __init__(self, s, gf):
        super().__init__()
        self.g = 8 * gf
        self.ca_net = Augmentation(s)
        self.fc = nn.Sequential(nn.Linear(s['Z'] + s['C'], self.g * 16, bias=False), nn.BatchNorm1d(self.g * 16), nn.ReLU())
        self.add_upsampling(self.g)

    def forward(self, text, z, eps):
        c, mu, logvar = self.ca_net(text, eps)
        return self.upsample(self.fc(torch.cat([z, c], 1)).view(-1, self.g, 4, 4)), mu, logvar


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.block = nn.Sequential(*stage(conv(width, width), width, nn.ReLU()), *stage(conv(width, width), width)[:2])

    def forward(self, x):
        return F.relu(self.block(x) + x)


class Generator2(Upsampling):
    def __init__(self, s):
        super().__init__()
        g = s['GF']
        self.STAGE1_G = Generator1(s, s['GF1']).requires_grad_(False)
        self.ca_net = Augmentation(s)
        self.encoder = nn.Sequential(conv(3, g), nn.ReLU(), *stage(conv(g, 2 * g, 4, 2), 2 * g, nn.ReLU()), *stage(conv(2 * g, 4 * g, 4, 2), 4 * g, nn.ReLU()))
        self.hr_joint = nn.Sequential(*stage(conv(4 * g + s['C'], 4 * g), 4 * g, nn.ReLU()))
        self.residual = nn.Sequential(*[Residual(4 * g) for _ in range(s['R'])])
        self.add_upsampling(4 * g)

    def forward(self, text, z, eps_low, eps):
        low = self.STAGE1_G(text, z, eps_low)[0].detach()
        c, mu, logvar = self.ca_net(text, eps)
        h = torch.cat([self.encoder(low), c[:, :, None, None].expand(-1, -1, 16, 16)], 1)
        return self.upsample(self.residual(self.hr_joint(h))), mu, logvar


class Logits(nn.Module):
    def __init__(self, width, more):
        super().__init__()
        self.outlogits = nn.Sequential(*(stage(conv(width + more, width), width) if more else []), conv(width, 1, 4, 4, bias=True), nn.Sigmoid())

    def forward(self, f, c=None):
        f = f if c is None else torch.cat([f, c[:, :, None, None].expand(-1, -1, 4, 4)], 1)
        return self.outlogits(f).view(-1)


class Discriminator(nn.Module):
    def __init__(self, s, number):
        super().__init__()
        d, downs = s['DF'], 3 if number == 1 else 5
        layers = [conv(3, d, 4, 2), nn.LeakyReLU(0.2)]
        for i in range(downs):
            layers += stage(conv(d << i, d << (i + 1), 4, 2), d << (i + 1))
        for i in range(downs, 3, -1):
            layers += stage(conv(d << i, d << (i - 1)), d << (i - 1))
        self.encode_img = nn.Sequential(*layers)
        self.get_cond_logits = Logits(8 * d, s['C'])
        if number == 2:
            self.get_uncond_logits = Logits(8 * d, 0)


# ---- one step

def bce(p, target):
    return F.binary_cross_entropy(p, torch.full_like(p, target))


def adam(parameters):
    parameters = [p for p in parameters if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, 2e-4, (0.5, 0.999))
    for p in parameters:
        optimizer.state[p] = {'step': torch.tensor(float(COUNT)), 'exp_avg': torch.zeros_like(p), 'exp_avg_sq': torch.full_like(p, V)}
    return optimizer


def step(number, G, D, image, text, draws):
    uncond = number == 2
    fake, mu, logvar = G(text, *draws)
    c = mu.detach()
    f_real, f_fake = D.encode_img(image), D.encode_img(fake.detach())
    r = {'l_real': bce(D.get_cond_logits(f_real, c), 1.)}
    r['l_wrong'] = bce(D.get_cond_logits(f_real[:-1], c[1:]), 0.)
    r['l_fake'] = bce(D.get_cond_logits(f_fake, c), 0.)
    if uncond:
        r['l_real_u'] = bce(D.get_uncond_logits(f_real), 1.)
        r['l_fake_u'] = bce(D.get_uncond_logits(f_fake), 0.)
        r['loss_d'] = (r['l_real'] + r['l_real_u']) / 2 + (r['l_fake'] + r['l_wrong'] + r['l_fake_u']) / 3
    else:
        r['loss_d'] = r['l_real'] + (r['l_fake'] + r['l_wrong']) / 2
    optimizer_d, optimizer_g = adam(D.parameters()), adam(G.parameters())
    r['loss_d'].backward()
    optimizer_d.step()
    optimizer_g.zero_grad()
    f = D.encode_img(fake)
    r['l_kl'] = -0.5 * torch.mean(1 + logvar - mu**2 - torch.exp(logvar))
    r['loss_g'] = bce(D.get_cond_logits(f, c), 1.) + (bce(D.get_uncond_logits(f), 1.) if uncond else 0) + KL * r['l_kl']
    r['loss_g'].backward()
    optimizer_g.step()
    return r


# ---- numbers in and out

def begin(module):
    """Numbers that f16 holds, none of them 0."""
    for name, tensor in module.state_dict().items():
        if name.endswith('num_batches_tracked'):
            continue
        is_scale = name.endswith('running_var') or name.endswith('weight') and tensor.dim() == 1
        tensor.copy_(((1 if is_scale else 0) + 0.1 * torch.randn(tensor.shape)).half().double())


def draws_of(gcc_graph, graph, define, arrays):
    """What gcc-graph draws in that step, in the order of the modules' arguments."""
    names = ['z'] + (['low.ca.eps'] if 'GF1' in define else []) + ['fake.ca.eps']
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(f'{folder}/in')
        for name, array in arrays.items():
            np.save(f'{folder}/in/{name}.npy', array)
        subprocess.run([gcc_graph, 'run', graph, 'train', '--preset', 'check', '--interpret', '--seed', str(SEED), '--get', f'{folder}/out',
                        *[f'-D{k}={v}' for k, v in define.items()], *[f'--set={name}={folder}/in/{name}.npy' for name in arrays]],
                       check=True, stdout=subprocess.DEVNULL)
        return {name: np.load(f'{folder}/out/draws/train.both.{name}@0.0.npy') for name in names}


def write(path, arrays, metadata):
    kinds = {'float16': 'F16', 'float32': 'F32', 'float64': 'F64', 'uint8': 'U8'}
    header, offset = {'__metadata__': metadata}, 0
    for name, array in arrays.items():
        header[name] = {'dtype': kinds[str(array.dtype)], 'shape': list(array.shape), 'data_offsets': [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + b''.join(a.tobytes() for a in arrays.values()))


def states(kind, dtype, *modules):
    return {f'{kind}/{name}': tensor.numpy().astype(dtype) for module in modules for name, tensor in module.state_dict().items()
            if not name.endswith('num_batches_tracked')}


def in_single(module):
    """In single precision, the parameters off by about their last bit."""
    module = copy.deepcopy(module).float()
    for p in module.parameters():
        p.data *= 1 + 1e-7 * torch.randn(p.shape, dtype=torch.float32)
    return module


def farthest(modules, others):
    """The largest difference of a gradient, of its tensor's largest."""
    pairs = [(p.grad, q.grad) for m, o in zip(modules, others) for p, q in zip(m.parameters(), o.parameters()) if p.requires_grad]
    return max((((p - q).abs().max() / p.abs().max()).item() for p, q in pairs))


def trained(number, seed, image, text, draws):
    """Networks before and after the step and its report; None where single precision disagrees."""
    s = SIZES[number]
    torch.manual_seed(seed)
    modules = Generator1(s, s['GF']) if number == 1 else Generator2(s), Discriminator(s, number)
    for module in modules:
        begin(module)
    before = copy.deepcopy(modules)
    report = step(number, *modules, image, text, draws)
    distance = 0
    for _ in range(ROUNDINGS):
        single = [in_single(module) for module in before]
        step(number, *single, image.float(), text.float(), [x.float() for x in draws])
        distance = max(distance, farthest(modules, single))
        if distance > AGREE:
            break
    print(f'stage {number}, weights {seed}: single precision is off by {distance:.2g}')
    return (before, modules, report) if distance < AGREE else None


def record(number, gcc_graph, graphs, fixtures):
    s = SIZES[number]
    random = np.random.default_rng(number)
    pixels = random.integers(0, 256, (s['batch'], 3, 64, 64), dtype=np.uint8)
    image = np.float32(pixels.astype(np.float64) / 127.5 - 1)
    image = image.repeat(4, 2).repeat(4, 3) if number == 2 else image
    text = random.standard_normal((s['batch'], s['E'])).astype(np.float16)
    draws = draws_of(gcc_graph, f'{graphs}/stackgan_stage{number}.json', s, {'real': image, 'text': text.astype(np.float32)})
    inputs = [torch.from_numpy(x).double() for x in (image, text, *draws.values())]
    before, modules, report = next(filter(None, (trained(number, seed, *inputs[:2], inputs[2:]) for seed in range(1, 1000))))
    arrays = {**states('before', np.float16, *before), 'feeds/image': pixels, 'feeds/text': text, **{f'draws/{k}': v for k, v in draws.items()}}
    arrays.update({k: v for k, v in states('after', np.float32, *modules).items() if not k.startswith('after/STAGE1_G.')})
    arrays.update({f'report/{k}': np.float64(v.item()).reshape(()) for k, v in report.items()})
    target = f'{fixtures}/stackgan_stage{number}.torch.safetensors'
    write(target, arrays, {'seed': str(SEED), 'count': str(COUNT), 'v': str(V), 'define': ' '.join(f'-D {k}={v}' for k, v in s.items())})
    print(f'{os.path.basename(target)}: {len(arrays)} tensors, {os.path.getsize(target):,} bytes;', {k: round(v.item(), 4) for k, v in report.items()})


for number in SIZES:
    record(number, *sys.argv[1:])

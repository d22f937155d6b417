#!/usr/bin/python3
"""Writes words.def: graphs of single functions, layers and optimizers, and what PyTorch makes of them in double (python3-torch, 1.13).

    /usr/bin/python3 tests/device/record_words.py > tests/device/words.def

Cases in DEVICE are computed on the device too: one of each way in which kernels differ. Each case gives y of an input x, and maybe of a network's weights w. With fixed weights a and b: the loss is sum(a y^2)/2, g its gradient by x,
s = sum(b g), h the gradient of s by x; u and v are the gradients of loss and s by the weights. Of each the sum of element i times cos(i) is kept."""
import math

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def fnv(text):
    value = 0xcbf29ce484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001b3) & (2**64 - 1)
    return value


def uniform(name, element):
    x = (fnv(name) + element * 0x9e3779b97f4a7c15) & (2**64 - 1)
    x = ((x ^ (x >> 30)) * 0xbf58476d1ce4e5b9) & (2**64 - 1)
    x = ((x ^ (x >> 27)) * 0x94d049bb133111eb) & (2**64 - 1)
    x ^= x >> 31
    return (x >> 40) / 16777216


def numbers(name, shape, scale=1.0, shift=-0.5):
    count = math.prod(shape)
    return torch.tensor([scale * (uniform(name, i) + shift) for i in range(count)]).reshape(shape)


def fixed(like, factor):
    return torch.tensor([(i * factor % 64 - 31) / 16 for i in range(like.numel())]).reshape(like.shape)


class Weights(dict):
    """w('linear.weight', 3, 4) makes a weight where it is asked for first."""

    def __call__(self, name, *shape):
        if name not in self:
            shift = 0.5 if name.endswith('scale') else -0.5
            self[name] = numbers(name, shape, 0.0 if name == 'none' else 1.0, shift).requires_grad_()
        return self[name]


CASES = []
DEVICE = ('flipped_stack', 'bilinear_size', 'bicubic_antialias', 'nearest_up', 'nearest_any', 'pad_reflect', 'pad_replicate', 'pad_circular', 'avg_pool_inside',
          'max_pool_line', 'sort_long', 'topk_few', 'topk_long', 'topk_longer', 'gather_axis', 'patchify', 'unpatchify', 'conv_pads', 'conv_reflect', 'conv_line', 'conv_transposed', 'conv_transposed_pads', 'rms_norm_channels',
          'attention_image', 'causal_attention', 'lion', 'lamb')


def case(name, shape, expression, function, network='', optimizer=''):
    CASES.append((name, shape, expression, network, optimizer, function))


def layer(name, shape, nodes, function):
    case(name, shape, '', function, network=nodes)


# ---- resize
def interpolate(size=None, factor=None, mode='bilinear', antialias=False):
    corners = {} if mode in ('nearest', 'area') else {'align_corners': False, 'antialias': antialias}
    return lambda x, w: F.interpolate(x, size=size, scale_factor=factor, mode=mode, **corners)


case('bilinear_up', (2, 2, 3, 4), 'resize(x, None, 2)', interpolate(factor=2))
case('bilinear_size', (2, 2, 5, 4), 'resize(x, [3, 7])', interpolate(size=(3, 7)))
case('bilinear_factor', (2, 2, 5, 7), 'resize(x, None, 1.3)', interpolate(factor=1.3))
case('bilinear_as_large', (2, 2, 3, 4), 'resize(x, None, [1.3, 1.2])', interpolate(factor=(1.3, 1.2)))
case('area_factor', (2, 2, 3, 5), 'resize(x, None, [1.3, 0.5], area)', interpolate(factor=(1.3, 0.5), mode='area'))
case('bilinear_antialias', (2, 2, 7, 9), 'resize(x, [3, 5], None, bilinear, true)', interpolate(size=(3, 5), antialias=True))
case('bilinear_antialias_up', (2, 2, 3, 4), 'resize(x, [7, 2], None, bilinear, true)', interpolate(size=(7, 2), antialias=True))
case('bicubic_up', (2, 2, 3, 4), 'resize(x, None, 2, bicubic)', interpolate(factor=2, mode='bicubic'))
case('bicubic_down', (2, 2, 9, 8), 'resize(x, [4, 3], None, bicubic)', interpolate(size=(4, 3), mode='bicubic'))
case('bicubic_antialias', (2, 2, 9, 8), 'resize(x, 4, None, bicubic, true)', interpolate(size=(4, 4), mode='bicubic', antialias=True))
case('bicubic_antialias_up', (2, 2, 3, 5), 'resize(x, 8, None, bicubic, true)', interpolate(size=(8, 8), mode='bicubic', antialias=True))
case('bicubic_factor', (2, 2, 5, 7), 'resize(x, None, [0.7, 1.6], bicubic)', interpolate(factor=(0.7, 1.6), mode='bicubic'))
case('nearest_up', (2, 2, 3, 4), 'resize(x, None, [2, 3], nearest)', interpolate(factor=(2, 3), mode='nearest'))
case('nearest_down', (2, 2, 6, 9), 'resize(x, [3, 3], None, nearest)', interpolate(size=(3, 3), mode='nearest'))
case('nearest_any', (2, 2, 5, 7), 'resize(x, [7, 4], None, nearest)', interpolate(size=(7, 4), mode='nearest'))
case('nearest_factor', (2, 2, 5, 7), 'resize(x, None, 1.7, nearest)', interpolate(factor=1.7, mode='nearest'))
case('area', (2, 2, 5, 7), 'resize(x, [2, 3], None, area)', interpolate(size=(2, 3), mode='area'))
case('linear_line', (2, 3, 5), 'resize(x, 8)', lambda x, w: F.interpolate(x, size=8, mode='linear', align_corners=False))
case('bilinear_volume', (2, 2, 3, 2, 4), 'resize(x, [4, 3, 3])', lambda x, w: F.interpolate(x, size=(4, 3, 3), mode='trilinear', align_corners=False))

# ---- padding
case('pad_reflect', (2, 3, 4, 5), 'pad(x, [[2, 3], [1, 4]], reflect)', lambda x, w: F.pad(x, (1, 4, 2, 3), mode='reflect'))
case('pad_replicate', (2, 2, 3, 2), 'pad(x, [[0, 5], [3, 1]], replicate)', lambda x, w: F.pad(x, (3, 1, 0, 5), mode='replicate'))
case('pad_circular', (2, 2, 3, 4), 'pad(x, [[3, 1], [2, 0]], circular)', lambda x, w: F.pad(x, (2, 0, 3, 1), mode='circular'))
case('pad_cut', (2, 2, 4, 6), 'pad(x, [[-1, 2], [1, -2]], reflect)', lambda x, w: F.pad(x[:, :, 1:, :4], (1, 0, 0, 2), mode='reflect'))

# ---- views on views
case('flipped_stack', (1, 3), 'flip(stack([x[0, 0], x[0, 1]*x[0, 2], exp(x[0, 2])], 0), 0)',
     lambda x, w: torch.stack([x[0, 0], x[0, 1] * x[0, 2], torch.exp(x[0, 2])]).flip(0))

# ---- the first of a long axis, in blocks and a rest, with equals
def first(x, axis, count, descending):
    values, indices = torch.sort(x, dim=axis, descending=descending, stable=True)
    ties = torch.sort(torch.round(x * 9), dim=axis, descending=descending, stable=True)[1]
    return values.narrow(axis, 0, count) + ties.narrow(axis, 0, count) / 99


case('topk_long', (2, 1100), 'topk(x, 5).values + f32(topk(round(x*9), 5).indices)/99', lambda x, w: first(x, 1, 5, True))
case('topk_long_first', (1100, 2), 'topk(x, 20, 0, false).values + f32(topk(round(x*9), 20, 0, false).indices)/99', lambda x, w: first(x, 0, 20, False))
case('topk_longer', (4200, 1), 'topk(x, 20, 0).values + f32(topk(round(x*9), 20, 0).indices)/99', lambda x, w: first(x, 0, 20, True))

# ---- pools
case('avg_pool_inside', (2, 2, 5, 6), 'avg_pool2d(x, 3, 2, 1, false)', lambda x, w: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False))
case('avg_pool_inside_pairs', (2, 2, 4, 7), 'avg_pool2d(x, [3, 2], [1, 2], [1, 0], false)', lambda x, w: F.avg_pool2d(x, (3, 2), (1, 2), (1, 0), count_include_pad=False))
case('avg_pool_line', (2, 3, 9), 'avg_pool1d(x, 4, 3, 2)', lambda x, w: F.avg_pool1d(x, 4, 3, 2))
case('avg_pool_line_inside', (2, 3, 9), 'avg_pool1d(x, 4, 3, 2, false)', lambda x, w: F.avg_pool1d(x, 4, 3, 2, count_include_pad=False))
case('max_pool_line', (2, 3, 9), 'max_pool1d(x, 3, 2, 1)', lambda x, w: F.max_pool1d(x, 3, 2, 1))

# ---- order
case('sort_short', (3, 7), 'sort(x^3)', lambda x, w: torch.sort(x**3).values)
case('sort_long', (2, 150), 'sort(x^3, 1, true)', lambda x, w: torch.sort(x**3, 1, True).values)
case('sort_axis', (70, 2), 'sort(x^2, 0)', lambda x, w: torch.sort(x**2, 0).values)
case('topk_few', (3, 9), 'topk(x^2, 4).values', lambda x, w: torch.topk(x**2, 4).values)
case('topk_many', (2, 80), 'topk(x^3, 70, -1, false).values', lambda x, w: torch.topk(x**3, 70, -1, False).values)
case('gather_axis', (3, 4, 2), 'gather(x^2, [[[1], [0], [3], [1], [1]]], 1)', lambda x, w: torch.take_along_dim(x**2, torch.tensor([1, 0, 3, 1, 1]).reshape(1, 5, 1), 1))

# ---- patches
case('patchify', (2, 3, 4, 6), 'patchify(x, [2, 3])', lambda x, w: F.unfold(x, (2, 3), stride=(2, 3)).transpose(1, 2))
case('unpatchify', (2, 6, 12), 'unpatchify(x, [2, 3], [3, 2])', lambda x, w: F.fold(x.transpose(1, 2), (6, 6), (2, 3), stride=(2, 3)))
case('unpatchify_square', (2, 4, 8), 'unpatchify(x, 2)', lambda x, w: F.fold(x.transpose(1, 2), (4, 4), 2, stride=2))


# ---- convolutions
def conv(name, x, w, shape, groups=1, channels=None, **options):
    return getattr(F, 'conv%dd' % (x.dim() - 2))(x, w(name + '.weight', *shape), w(name + '.bias', shape[0]), groups=groups, **options)


layer('conv_pads', (2, 2, 5, 6), "{'op': 'conv2d', 'channels': 3, 'kernel': [3, 4], 'stride': [1, 2], 'pad': [[0, 2], [3, 1]]}",
      lambda x, w: conv('conv2d', F.pad(x, (3, 1, 0, 2)), w, (3, 2, 3, 4), stride=(1, 2)))
layer('conv_same', (2, 2, 5, 6), "{'op': 'conv2d', 'channels': 2, 'kernel': [4, 3], 'dilation': [1, 2], 'pad': 'same', 'groups': 2}",
      lambda x, w: conv('conv2d', x, w, (2, 1, 4, 3), groups=2, dilation=(1, 2), padding='same'))
layer('conv_same_stride', (2, 2, 6, 7), "{'op': 'conv2d', 'channels': 2, 'kernel': 3, 'stride': [2, 3], 'pad': 'same'}",
      lambda x, w: conv('conv2d', F.pad(x, (1, 1, 0, 1)), w, (2, 2, 3, 3), stride=(2, 3)))
layer('conv_reflect', (2, 2, 5, 4), "{'op': 'conv2d', 'channels': 3, 'kernel': 3, 'pad': [2, 1], 'pad_mode': 'reflect'}",
      lambda x, w: conv('conv2d', F.pad(x, (1, 1, 2, 2), mode='reflect'), w, (3, 2, 3, 3)))
layer('conv_replicate', (2, 2, 4, 5), "{'op': 'conv2d', 'channels': 3, 'kernel': 3, 'stride': 2, 'pad': [[1, 2], [3, 0]], 'pad_mode': 'replicate'}",
      lambda x, w: conv('conv2d', F.pad(x, (3, 0, 1, 2), mode='replicate'), w, (3, 2, 3, 3), stride=2))
layer('conv_line', (2, 4, 9), "{'op': 'conv1d', 'channels': 6, 'kernel': 3, 'stride': 2, 'pad': 1, 'dilation': 2, 'groups': 2}",
      lambda x, w: conv('conv1d', x, w, (6, 2, 3), groups=2, stride=2, padding=1, dilation=2))
layer('conv_line_circular', (2, 2, 5), "{'op': 'conv1d', 'channels': 3, 'kernel': 4, 'pad': 'same', 'pad_mode': 'circular'}",
      lambda x, w: conv('conv1d', F.pad(x, (1, 2), mode='circular'), w, (3, 2, 4)))
layer('conv_transposed', (2, 4, 3, 4), "{'op': 'conv_transpose2d', 'channels': 6, 'kernel': [3, 2], 'stride': [2, 3], 'pad': [1, 0], 'dilation': [2, 3], 'output_pad': [1, 2], 'groups': 2}",
      lambda x, w: F.conv_transpose2d(x, w('conv_transpose2d.weight', 4, 3, 3, 2), w('conv_transpose2d.bias', 6), (2, 3), (1, 0), (1, 2), 2, (2, 3)))
layer('conv_transposed_pads', (2, 2, 3, 4), "{'op': 'conv_transpose2d', 'channels': 2, 'kernel': 4, 'stride': 2, 'pad': [[0, 2], [3, 1]]}",
      lambda x, w: F.conv_transpose2d(x, w('conv_transpose2d.weight', 2, 2, 4, 4), w('conv_transpose2d.bias', 2), 2)[:, :, 0:-2, 3:-1])
layer('conv_transposed_line', (2, 2, 5), "{'op': 'conv_transpose1d', 'channels': 3, 'kernel': 3, 'stride': 2, 'pad': 1, 'dilation': 2, 'output_pad': 1}",
      lambda x, w: F.conv_transpose1d(x, w('conv_transpose1d.weight', 2, 3, 3), w('conv_transpose1d.bias', 3), 2, 1, 1, 1, 2))


# ---- norms and attention
def rms(x, scale, axes, eps):
    return x / torch.sqrt((x * x).mean(axes, keepdim=True) + eps) * scale


layer('rms_norm', (3, 2, 5), "{'op': 'rms_norm'}", lambda x, w: rms(x, w('rms_norm.scale', 5), -1, 2.0**-23))
layer('rms_norm_channels', (2, 3, 2, 2), "{'op': 'rms_norm', 'axes': 1, 'eps': 0.01}", lambda x, w: rms(x, w('rms_norm.scale', 3)[:, None, None], 1, 0.01))
layer('rms_norm_plain', (3, 2, 5), "{'op': 'rms_norm', 'axes': [1, 2], 'eps': 1e-6, 'affine': false}", lambda x, w: rms(x, 1, (1, 2), 1e-6))


def attention(x, context, w, name, heads, features, bias=True, mask=None):
    def map_to(rows, part, outputs, has_bias=True):
        y = rows @ w(name + '.' + part + '.weight', outputs, rows.shape[2]).T
        return y + w(name + '.' + part + '.bias', outputs) if has_bias else y

    def split(rows):
        return rows.reshape(rows.shape[0], rows.shape[1], heads, features // heads).transpose(1, 2)

    q, k, v = (split(map_to(rows, part, features, bias)) for rows, part in ((x, 'query'), (context, 'key'), (context, 'value')))
    scores = q @ k.transpose(2, 3) / math.sqrt(features // heads)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    mixed = (torch.softmax(scores, 3) @ v).transpose(1, 2).reshape(x.shape[0], x.shape[1], features)
    return map_to(mixed, 'out', x.shape[2])


layer('attention', (2, 3, 6), "{'op': 'attention', 'in': 'x[:, :, :4]', 'context': 'x[:, 1:, 3:]', 'heads': 2}",
      lambda x, w: attention(x[:, :, :4], x[:, 1:, 3:], w, 'attention', 2, 4))
layer('attention_image', (2, 2, 2, 3), "{'op': 'attention', 'in': 'x[:, :, :, :2]', 'context': 'x', 'heads': 3, 'features': 6, 'bias': false, 'mask': 'range(6) < 5'}",
      lambda x, w: attention(x[:, :, :, :2].reshape(2, 2, 4).transpose(1, 2), x.reshape(2, 2, 6).transpose(1, 2), w, 'attention', 3, 6, False,
                             (torch.arange(6) < 5)).transpose(1, 2).reshape(2, 2, 2, 2))
layer('attention_to_itself', (2, 3, 4), "{'op': 'attention', 'heads': 2, 'features': 6, 'causal': true}",
      lambda x, w: attention(x, x, w, 'attention', 2, 6, mask=torch.ones(3, 3, dtype=torch.bool).tril()))
layer('causal_attention', (2, 4, 4), "{'op': 'self_attention', 'heads': 2, 'causal': true}",
      lambda x, w: attention(x, x, w, 'self_attention', 2, 4, mask=torch.ones(4, 4, dtype=torch.bool).tril()))


# ---- optimizers: y is what two steps make of the weights, each loss by x, through the steps
def loss_of(x, a, b, none):
    return (torch.tanh(x @ a + b + none)**2).sum() / 8


def steps(rule, options, loss=loss_of):
    def run(x, w):
        p = {'a': w('a', 4, 3), 'b': w('b', 3), 'none': w('none', 3)}  # the last begins as zeros
        states = {k: [torch.zeros_like(v), torch.zeros_like(v)] for k, v in p.items()}
        for count in range(1, 3):
            grads = dict(zip(p, torch.autograd.grad(loss(x, **p), list(p.values()), create_graph=True)))
            p = {k: rule(p[k], grads[k], states[k], count, **options) for k in p}
        return torch.cat([p['a'].reshape(-1), p['b'], p['none']])
    return run


def lion(p, g, state, count, lr, weight_decay=0, beta_1=0.9, beta_2=0.99):
    move = torch.sign(beta_1 * state[0] + (1 - beta_1) * g)
    state[0] = beta_2 * state[0] + (1 - beta_2) * g
    return p * (1 - lr * weight_decay) - lr * move


def lamb(p, g, state, count, lr, weight_decay=0, beta_1=0.9, beta_2=0.999, eps=1e-6):
    state[0] = beta_1 * state[0] + (1 - beta_1) * g
    state[1] = beta_2 * state[1] + (1 - beta_2) * g * g
    u = state[0] / (1 - beta_1**count) / (torch.sqrt(state[1] / (1 - beta_2**count)) + eps) + weight_decay * p
    return p - lr * u * (p.norm() / u.norm() if p.norm() > 0 else 1)


# Lion's numbers are such that any other beta turns a sign.
for name, rule, options in (('lion', lion, {'lr': 0.2, 'weight_decay': 0.1, 'beta_1': 0.8, 'beta_2': 0.6}), ('lion_defaults', lion, {'lr': 1.6}),
                            ('lamb', lamb, {'lr': 0.1, 'weight_decay': 0.2, 'beta_1': 0.8, 'beta_2': 0.99, 'eps': 0.01}), ('lamb_defaults', lamb, {'lr': 0.1})):
    case(name, (2, 4), '', steps(rule, options), network='OPTIMIZED', optimizer="'%s': %s" % (rule.__name__, options))


# ---- the file
def checksum(x):
    return float((x.reshape(-1) * torch.cos(torch.arange(float(x.numel())))).sum())


def derivative(of, by):
    if not of.requires_grad:
        return [torch.zeros_like(x) for x in by]
    return [torch.zeros_like(x) if d is None else d for x, d in zip(by, torch.autograd.grad(of, by, create_graph=True, allow_unused=True))]


print('// Written by record_words.py: name, whether the device computes it, shape of x, expression, nodes of a network, optimizer, shape of y, and the sums of y, g, h, u, v.\n// clang-format off')
for name, shape, expression, network, optimizer, function in CASES:
    x, w = numbers('x', shape, 2.0).requires_grad_(), Weights()
    y = function(x, w)
    loss = (fixed(y, 37) * y * y).sum() / 2
    weights = [w[k] for k in w]
    g, *u = derivative(loss, [x] + weights)
    s = (fixed(g, 29) * g).sum()
    h, *v = derivative(s, [x] + weights)
    sums = [checksum(y), checksum(g), checksum(h)] + [math.sqrt(sum(float((d * d).sum()) for d in part)) for part in (u, v)]
    print('WORD(%s, %s, "%s", "%s", "%s", "%s", "%s", %s)' % (name, 'true' if name in DEVICE else 'false', ', '.join(map(str, shape)), expression, network, optimizer, ', '.join(map(str, y.shape)),
                                                         ', '.join('%.17g' % one for one in sums)))

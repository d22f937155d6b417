#!/usr/bin/python3
# Records what read_sharing.c expects: three steps of fixtures/shared_flow.json, tied.json and target.json by plain PyTorch, in double.
# Parameters begin as 0.4 sin(0.3 (sum of the name's bytes mod 17) + 0.7 k).
import torch

torch.set_default_dtype(torch.float64)


def fill(name, shape):
    count = 1
    for size in shape:
        count *= size
    k = torch.arange(count)
    return (0.4 * torch.sin(0.3 * (sum(name.encode()) % 17) + 0.7 * k)).reshape(shape).requires_grad_()


def show(graph, rows):
    for row in rows:
        print(graph, "{" + ", ".join("%.15g" % float(x) for x in row) + "},")


def linear(P, name, x):
    return x @ P[name + ".weight"].T + P[name + ".bias"]


def flow_steps():
    P = {}
    for c in ("c0", "c1"):
        for name, shape in ((".hidden", (6, 2)), (".both", (4, 6))):
            P["flow." + c + name + ".weight"] = fill("flow." + c + name + ".weight", shape)
            P["flow." + c + name + ".bias"] = fill("flow." + c + name + ".bias", shape[:1])

    def scale_shift(P, c, x):
        both = linear(P, "flow." + c + ".both", torch.tanh(linear(P, "flow." + c + ".hidden", x)))
        return torch.tanh(both[:, :2]), both[:, 2:]

    def inverse(P, y):
        for c in ("c1", "c0"):
            s, t = scale_shift(P, c, y[:, 2:])
            y = torch.cat([y[:, 2:], (y[:, :2] - t) * torch.exp(-s)], 1)
        return y

    x = torch.sin(torch.linspace(0.5, 9, 12)).float().double().reshape(3, 4)
    wanted = torch.cos(torch.linspace(1, 4, 12)).float().double().reshape(3, 4)
    opt = torch.optim.SGD(P.values(), lr=0.05, momentum=0.9)
    ema = {k: v.detach().clone() for k, v in P.items()}
    rows = []
    for _ in range(3):
        z, log = x, 0
        for c in ("c0", "c1"):
            s, t = scale_shift(P, c, z[:, :2])
            z, log = torch.cat([z[:, 2:] * torch.exp(s) + t, z[:, :2]], 1), log + s.sum(1)
        back = inverse(P, z)
        loss = (0.5 * (z ** 2).sum(1) - log).mean() + ((inverse(P, wanted) - x) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        slope = torch.sqrt(sum((p.grad ** 2).sum() for p in P.values()))
        opt.step()
        for k in P:
            ema[k] = 0.5 * ema[k] + 0.5 * P[k].detach()
        rows.append((loss, (back - x).abs().max(), slope, (inverse(ema, z) ** 2).mean()))
    show("flow", rows)


def tied_steps():
    P = {}
    for net in ("lm", "other"):
        P[net + ".emb.weight"] = fill(net + ".emb.weight", (5, 4))
        for i in range(2):
            P["%s.i.%d.linear.weight" % (net, i)] = fill("%s.i.%d.linear.weight" % (net, i), (4, 4))
            P["%s.i.%d.linear.bias" % (net, i)] = fill("%s.i.%d.linear.bias" % (net, i), (4,))
        P[net + ".head.bias"] = fill(net + ".head.bias", (5,))

    def call(P, net, t):
        h = P[net + ".emb.weight"][t]
        for i in range(2):
            h = torch.tanh(linear(P, "%s.i.%d.linear" % (net, i), h))
        return h @ P[net + ".emb.weight"].T + P[net + ".head.bias"]

    t, k = torch.tensor([0, 3, 1, 4, 2, 0]), torch.tensor([3, 1, 4, 2, 0, 3])
    cross = torch.nn.functional.cross_entropy
    opt = torch.optim.Adam(P.values(), lr=0.05)
    ema = {name: v.detach().clone() for name, v in P.items()}
    rows = []
    for _ in range(3):
        loss = cross(call(P, "lm", t), k) + 2 * cross(call(P, "other", t), k) + 0.01 * (P["lm.i.1.linear.weight"] ** 2).sum()
        opt.zero_grad()
        loss.backward()
        slope = P["lm.emb.weight"].grad.norm()
        opt.step()
        for name in P:
            ema[name] = 0.5 * ema[name] + 0.5 * P[name].detach()
        rows.append((loss, slope, cross(call(ema, "lm", t), k) + ema["lm.i.0.linear.bias"].sum()))
    show("tied", rows)


def target_steps():
    P = {}
    for name, shape in (("net.stem", (5, 3)), ("net.body", (6, 5)), ("net.head", (4, 6)), ("p.l", (4, 4))):
        P[name + ".weight"] = fill(name + ".weight", shape)
        P[name + ".bias"] = fill(name + ".bias", shape[:1])
    net = [k for k in P if k.startswith("net.")]
    own = [k for k in P if not k.startswith("net.stem.")]
    T = {k: P[k].detach().clone() for k in net}
    E = {k: P[k].detach().clone() for k in P}

    def call(P, x):
        h = torch.tanh(linear(P, "net.body", torch.tanh(linear(P, "net.stem", x))))
        return linear(P, "net.head", h)

    one = torch.sin(torch.linspace(0.5, 9, 12)).float().double().reshape(4, 3)
    two = torch.sin(torch.linspace(0.7, 9.4, 12)).float().double().reshape(4, 3)
    opt = torch.optim.AdamW([
        {"params": [P[k] for k in own if k.endswith(".bias")], "weight_decay": 0},
        {"params": [P["p.l.weight"]], "lr": 0.2, "betas": (0.8, 0.99)},
        {"params": [P["net.body.weight"], P["net.head.weight"]]},
    ], lr=0.05, weight_decay=0.1, betas=(0.9, 0.99))
    rows = []
    for _ in range(3):
        loss = ((linear(P, "p.l", call(P, one)) - call(T, two)) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        whole = torch.nn.utils.clip_grad_norm_([P[k] for k in own], 0.4)
        opt.step()
        for k in own:
            E[k] = 0.5 * E[k] + 0.5 * P[k].detach()
        for k in net:
            T[k] = 0.75 * T[k] + 0.25 * P[k].detach()
        size = lambda S, names: torch.sqrt(sum((S[k] ** 2).sum() for k in names))
        rows.append((loss, size(P, net), size(T, net), size(P, ("p.l.weight", "p.l.bias")), (call(E, one) ** 2).sum(), whole))
    show("target", rows)


flow_steps()
tied_steps()
target_steps()

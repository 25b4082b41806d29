"""
Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): momentum, made orthogonal before each step, so that all directions of a
matrix are learnt at one pace. Updates are as large as AdamW's would be (Liu et al. 2025, "Muon is scalable for LLM training", 2.2).
torch.optim.Muon takes no convolutions.
"""

import torch


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """[m,n] → about UV' of its singular value decomposition, bf16: five steps of Newton and Schulz, with the reference's coefficients."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.mT if tall else matrix).to(torch.bfloat16, memory_format=torch.contiguous_format)
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = torch.addmm(x, torch.addmm(square, square, square, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """For matrices [o,i] and convolutions [o,i,h,w], which are taken as matrices [o,h*w*i]."""

    def __init__(self, params, lr: float, momentum: float = 0.95, weight_decay: float = 0.1):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                momentum = self.state[p].setdefault("momentum", torch.zeros_like(p))
                momentum.lerp_(p.grad, 1 - group["momentum"])
                ahead = p.grad.lerp(momentum, group["momentum"])  # Nesterov's
                rows = ahead.movedim(1, -1)
                flat = rows.reshape(len(rows), -1)
                change = orthogonal(flat).reshape(rows.shape).movedim(-1, 1).to(p.dtype)
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(change, alpha=-group["lr"] * 0.2 * max(flat.shape) ** 0.5)

"""The papers of benchmarks and proxies."""

from __future__ import annotations

import re

CITATIONS: dict[str, str] = {
    "abdelfattah2021zero": "Abdelfattah et al., Zero-Cost Proxies for Lightweight NAS, ICLR 2021, arXiv:2101.08134",
    "ahmad2024accel": "Ahmad et al., Accel-NASBench, DAC 2024, arXiv:2404.08005",
    "alpaydin1998digits": "Alpaydin & Kaynak, Optical Recognition of Handwritten Digits, UCI 1998",
    "asthana2025dextr": "Asthana et al., Dextr, TMLR 2025, arXiv:2508.12977",
    "bhardwaj2023zicobc": "Bhardwaj et al., ZiCo-BC, ICCV Workshops 2023, arXiv:2309.14666",
    "chen2021tenas": "Chen et al., TE-NAS, ICLR 2021, arXiv:2102.11535",
    "dong2020nb201": "Dong & Yang, NAS-Bench-201, ICLR 2020, arXiv:2001.00326",
    "dong2021nats": "Dong et al., NATS-Bench, TPAMI 2021, arXiv:2009.00437",
    "casarin2025lswag": "Casarin et al., L-SWAG, CVPR 2025, arXiv:2505.07300",
    "duan2021transnas": "Duan et al., TransNAS-Bench-101, CVPR 2021, arXiv:2105.11871",
    "gracheva2025epsinas": "Gracheva, Neural Architecture Search: Two Constant Shared Weights Initialisations, "
    "Artificial Intelligence Review 2025, arXiv:2302.04406",
    "husistein2025near": "Husistein et al., NEAR, ICLR 2025, arXiv:2408.08776",
    "jiang2023meco": "Jiang et al., MeCo, NeurIPS 2023",
    "jing2025wrcor": "Jing et al., Zero-Shot Neural Architecture Search with Weighted Response Correlation, 2025, "
    "arXiv:2507.08841",
    "kadlecova2024graf": "Kadlecová et al., Performance Prediction with Neural Graph Features (GRAF), ICML 2024",
    "krishnakumar2022suite": "Krishnakumar et al., NAS-Bench-Suite-Zero, NeurIPS 2022, arXiv:2210.03230",
    "lee2019snip": "Lee et al., SNIP, ICLR 2019, arXiv:1810.02340",
    "lee2024aznas": "Lee & Ham, AZ-NAS, CVPR 2024, arXiv:2403.19232",
    "li2023zico": "Li et al., ZiCo, ICLR 2023, arXiv:2301.11300",
    "li2024survey": "Li et al., Zero-Shot Neural Architecture Search, TPAMI 2024, arXiv:2307.01998",
    "lin2021zen": "Lin et al., Zen-NAS, ICCV 2021, arXiv:2102.01063",
    "lopes2021epe": "Lopes et al., EPE-NAS, ICANN 2021, arXiv:2102.08099",
    "mellor2020naswot": "Mellor et al., Neural Architecture Search without Training, 2020, arXiv:2006.04647v1",
    "mellor2021naswot": "Mellor et al., Neural Architecture Search without Training, ICML 2021, arXiv:2006.04647",
    "peng2024swap": "Peng et al., SWAP-NAS, ICLR 2024, arXiv:2403.04161",
    "peng2026swap": "Peng et al., Zero-Shot Neural Network Evaluation with Sample-Wise Activation Patterns, "
    "TPAMI 2026, arXiv:2605.07378",
    "su2021macro": "Su et al., Prioritized Architecture Sampling with Monto-Carlo Tree Search (NAS-Bench-Macro), "
    "CVPR 2021, arXiv:2103.11922",
    "radosavovic2020zoo": "Radosavovic et al., Designing Network Design Spaces (pycls), CVPR 2020, arXiv:2003.13678; "
    "Wightman et al., ResNet Strikes Back (timm), 2021, arXiv:2110.00476; and torchvision",
    "sun2022maedet": "Sun et al., MAE-DET, ICML 2022, arXiv:2111.13336",
    "tanaka2020synflow": "Tanaka et al., SynFlow, NeurIPS 2020, arXiv:2006.05467",
    "turner2020blockswap": "Turner et al., BlockSwap, ICLR 2020, arXiv:1906.04113",
    "tybl2025vkdnw": "Týbl & Neumann, Variance of Knowledge of Deep Network Weights, CVPR 2025, arXiv:2502.04975",
    "wang2020grasp": "Wang et al., GraSP, ICLR 2020, arXiv:2002.07376",
    "wei2024autoprox": "Wei et al., Auto-Prox, AAAI 2024, arXiv:2312.09059",
    "xu2021knas": "Xu et al., KNAS: Green Neural Architecture Search, ICML 2021, arXiv:2111.13293",
    "yamasaki2025rbflex": "Yamasaki et al., RBFleX-NAS, TNNLS 2025, arXiv:2503.22733",
    "ying2019nasbench101": "Ying et al., NAS-Bench-101, ICML 2019, arXiv:1902.09635",
    "zhou2022tftas": "Zhou et al., Training-free Transformer Architecture Search, CVPR 2022, arXiv:2203.12217",
    "zhou2026intrain": "Zhou et al., InTrain, CVPR 2026, arXiv:2606.18676",
    "zhang2022gradsign": "Zhang & Jia, GradSign, ICLR 2022, arXiv:2110.08616",
}


def citation(key: str) -> str:
    """The reference for a key, or the key itself if it is unknown, as for citations of third parties."""
    return CITATIONS.get(key, key)


def short_citation(key: str) -> str:
    """Authors, year and arXiv number, for narrow tables.

    >>> short_citation("lee2019snip")
    'Lee et al. 2019, arXiv:1810.02340'
    """
    reference = citation(key)
    authors, last = reference.partition(",")[0], reference.rpartition(", ")[2]
    year = re.search(r"\b(19|20)\d\d\b", reference)
    if year is None:
        return reference
    return f"{authors} {year[0]}" + (f", {last}" if last.startswith("arXiv:") else "")

"""The table of docs/queues.md: who binds what through which side, and what comes of it. Each row is a test.

`python -m tests.emulator.queue_table` writes the table into the page; a test fails when it has not been done.
"""

from __future__ import annotations

from pathlib import Path

from tests.emulator.queue_world import (
    Bind,
    BindTx,
    Channels,
    Close,
    Delete,
    End,
    Lease,
    Link,
    Move,
    Plug,
    Rings,
    Row,
    Unplug,
    Xdp,
    Xsk,
    Zcrx,
)

PAGE = Path(__file__).parents[2] / "docs" / "queues.md"
BEGIN, FINISH = "<!-- the table: written by python -m tests.emulator.queue_table -->", "<!-- the end of the table -->"

SPLIT = Rings()
LEASED = Lease(1)
L = "nic 1: lease"  # what a lease alone shows

XSK_SOURCE = "xp_assign_dev()"
REGISTER = "xsk_reg_pool_at_qid()"
NETKIT_XSK = "netkit_xsk()"
OPEN = "__netif_mp_open_rxq()"
REDIRECT = "netif_mp_open_rxq()"
ZCRX = "io_register_zcrx()"
ZCRX_DEV = "zcrx_register_netdev()"
AREA = "io_zcrx_create_area()"
BIND_RX = "netdev_nl_bind_rx_doit()"
BIND_TX = "netdev_nl_bind_tx_doit()"
DMA = "netdev_nl_get_dma_dev()"
BUSY = "netdev_queue_busy()"
CHANNELS = "ethtool_check_max_channel()"
RINGS = "ethnl_set_rings()"
XDP = "dev_xdp_install()"
UNLEASE = "netif_rxq_cleanup_unlease()"
NOTIFIER = "xsk_notifier()"

SECTIONS: dict[str, list[Row]] = {
    "AF_XDP": [
        Row([], Xsk("nic", 0), None, None, XSK_SOURCE, "q02_af_xdp", "nic 0: xsk"),
        Row([], Xsk("nic", 0, 2), None, None, XSK_SOURCE, "n12_programs", "nic 0: xsk"),
        Row([], Xsk("nic", 0, 0), None, None, XSK_SOURCE, "q06_umem", "nic 0: xsk"),
        Row([Xsk("nic", 0, 2)], Xsk("nic", 0, 2, "y"), "EBUSY", None, XSK_SOURCE, "n12_programs"),
        Row([], Xsk("nic", 9), "EINVAL", None, REGISTER, "n12_programs"),
        Row([], Xsk("nowhere", 0), "ENODEV", None, "xsk_bind()", "n12_programs"),
        Row([LEASED], Xsk("nic", 1), "EBUSY", None, REGISTER, "q02_af_xdp"),
        Row([LEASED], Xsk("nic", 1, 2), "EBUSY", None, REGISTER, "n12_programs"),
        Row([LEASED], Xsk("lessee", 1), None, None, NETKIT_XSK, "q02_af_xdp", "nic 1: xsk, lease; lessee 1: xsk"),
        Row([LEASED], Xsk("lessee", 1, 2), None, None, REGISTER, "q02_af_xdp", "nic 1: xsk, lease; lessee 1: xsk"),
        Row([LEASED, Xsk("lessee", 1)], Xsk("lessee", 1, 4, "y"), "EBUSY", None, REGISTER, "q02_af_xdp"),
        Row([LEASED], Xsk("lessee", 0), "EOPNOTSUPP", None, NETKIT_XSK, "q02_af_xdp"),
        Row([LEASED], Xsk("lessee", 0, 2), None, None, XSK_SOURCE, "q02_af_xdp", f"{L}; lessee 0: xsk"),
        Row([LEASED], Xsk("lessee", 9), "EINVAL", None, REGISTER, "q02_af_xdp"),
        Row([Lease(1, "peer")], Xsk("peer", 1), "EOPNOTSUPP", None, XSK_SOURCE, "q05_pair_in_use"),
        Row([Lease(1, "peer")], Xsk("peer", 1, 2), None, None, REGISTER, "q05_pair_in_use",
            "nic 1: xsk, lease; peer 1: xsk"),
        Row([SPLIT, Zcrx("nic", 0)], Xsk("nic", 1), "EBUSY", None, XSK_SOURCE, "q06_umem"),
        Row([SPLIT, Zcrx("nic", 0)], Xsk("nic", 1, 0), None, None, XSK_SOURCE, "q06_umem", "nic 0: io-uring; nic 1: xsk"),
        Row([SPLIT, LEASED, Zcrx("nic", 0)], Xsk("lessee", 1), "EBUSY", None, NETKIT_XSK, "q06_umem"),
        Row([SPLIT, LEASED, Zcrx("nic", 0)], Xsk("lessee", 1, 0), None, None, NETKIT_XSK, "q06_umem",
            "nic 0: io-uring; nic 1: xsk, lease; lessee 1: xsk"),
        Row([SPLIT, Zcrx("nic", 0)], Xsk("nic", 0, 2), None, None, REGISTER, "q09_dmabufs", "nic 0: io-uring, xsk"),
        Row([Xdp("nic")], Xsk("nic", 0), None, None, XSK_SOURCE, "q10_xdp", "nic 0: xsk"),
        Row([], Xsk("nic", 0, 6, words="both modes at once"), "EINVAL", None, XSK_SOURCE, "q06_umem"),
        Row([], Xsk("nic", 0, 64, words="an unknown flag"), "EINVAL", None, "xsk_bind()", "q06_umem"),
        Row([], Xsk("nic", 0, 20, words="zero-copy in segments"), "EOPNOTSUPP", None, XSK_SOURCE, "q06_umem"),
        Row([], Xsk("nic", 0, 4, fields=(("uid", 1000),), words="without CAP_NET_RAW"), "EPERM", None, "xsk_create()",
            "q06_umem"),
        Row([], Xsk("nic", 0, 4, fields=(("chunk_size", 3000),), words="chunks of 3000 bytes"), "EINVAL", None,
            "xdp_umem_reg()", "q06_umem"),
        Row([], Xsk("nic", 0, 4, fields=(("chunk_size", 2048), ("headroom", 300)), words="frames below the MTU"),
            "EINVAL", None, XSK_SOURCE, "q06_umem"),
        Row([Link("nic", mtu=3815)], Xsk("nic", 0), "EINVAL", None, XSK_SOURCE, "q06_umem"),
        Row([Link("nic", mtu=3814)], Xsk("nic", 0), None, None, XSK_SOURCE, "q06_umem", "nic 0: xsk"),
        Row([LEASED, Link("nic", mtu=3815)], Xsk("lessee", 1), None, None, XSK_SOURCE, "q06_umem",
            "nic 1: xsk, lease; lessee 1: xsk"),
        Row([LEASED, Link("lessee", mtu=3815)], Xsk("lessee", 1), "EINVAL", None, XSK_SOURCE, "q06_umem"),
        Row([Xsk("nic", 0)], Xsk("nic", 0, 0, "y", (("shared", "x"),), "sharing that umem"), None, None, "xsk_bind()",
            "q06_umem", "nic 0: xsk"),
        Row([Xsk("nic", 0)], Xsk("nic", 1, 0, "y", (("shared", "x"),), "sharing that umem"), None, None,
            "xp_assign_dev_shared()", "q06_umem", "nic 0: xsk; nic 1: xsk"),
        Row([LEASED, Xsk("nic", 0)], Xsk("lessee", 1, 0, "y", (("shared", "x"),), "sharing that umem"), None, None,
            "xp_assign_dev_shared()", "q06_umem", "nic 0: xsk; nic 1: xsk, lease; lessee 1: xsk"),
        Row([Xsk("nic", 0)], Xsk("nic", 1, 2, "y", (("shared", "x"),), "sharing that umem, with a mode"), "EINVAL", None,
            "xsk_bind()", "q06_umem"),
    ],
    "io_uring": [
        Row([], Zcrx("nic", 0), "EINVAL", "tcp-data-split is disabled", OPEN, "q01_io_uring"),
        Row([Rings(thresh=100)], Zcrx("nic", 0), "EINVAL", "hds-thresh is not zero", OPEN, "q01_io_uring"),
        Row([SPLIT], Zcrx("nic", 0), None, None, OPEN, "q01_io_uring", "nic 0: io-uring"),
        Row([SPLIT, Zcrx("nic", 0)], Zcrx("nic", 0, "y"), "EEXIST", "designated queue already memory provider bound", OPEN,
            "q01_io_uring"),
        Row([SPLIT, LEASED], Zcrx("nic", 1), "EOPNOTSUPP", None, ZCRX_DEV, "q01_io_uring"),
        Row([SPLIT, LEASED], Zcrx("lessee", 1), None, None, REDIRECT, "q01_io_uring",
            "nic 1: io-uring, lease; lessee 1: io-uring"),
        Row([SPLIT, LEASED, Zcrx("lessee", 1)], Zcrx("lessee", 1, "y"), "EEXIST",
            "designated queue already memory provider bound", OPEN, "q01_io_uring"),
        Row([SPLIT, LEASED], Zcrx("lessee", 0), "EOPNOTSUPP", None, ZCRX_DEV, "q01_io_uring"),
        Row([SPLIT, LEASED], Zcrx("lessee", 9), "EOPNOTSUPP", None, ZCRX_DEV, "q01_io_uring"),
        Row([SPLIT], Zcrx("nic", 77), "ERANGE", "rx queue index out of range", REDIRECT, "q07_rings"),
        Row([SPLIT], Zcrx("nic", 0xFFFFFFFF), "EINVAL", None, ZCRX, "q07_rings"),
        Row([], Zcrx("nowhere", 0), "ENODEV", None, ZCRX_DEV, "n12_programs"),
        Row([], Zcrx("lo", 0), "EOPNOTSUPP", None, ZCRX_DEV, "n12_programs"),
        Row([SPLIT], Zcrx("primary", 0), "EOPNOTSUPP", None, ZCRX_DEV, "q07_rings"),
        Row([SPLIT, Lease(1, "peer")], Zcrx("peer", 1), None, None, REDIRECT, "q05_pair_in_use",
            "nic 1: io-uring, lease; peer 1: io-uring"),
        Row([SPLIT, LEASED, Xsk("lessee", 1)], Zcrx("lessee", 1), "EBUSY", "designated queue already in use by AF_XDP",
            OPEN, "q02_af_xdp"),
        Row([SPLIT, LEASED, Xsk("lessee", 1)], Zcrx("nic", 0), None, None, OPEN, "q08_moves",
            "nic 0: io-uring; nic 1: xsk, lease; lessee 1: xsk"),
        Row([SPLIT, Xdp("nic", (("frags", True),))], Zcrx("nic", 0), "EEXIST",
            "unable to custom memory provider to device with XDP program attached", OPEN, "q10_xdp"),
        Row([SPLIT, LEASED, Xdp("nic", (("frags", True),))], Zcrx("lessee", 1), "EEXIST",
            "unable to custom memory provider to device with XDP program attached", OPEN, "q10_xdp"),
        Row([SPLIT], Zcrx("nic", 0, fields=(("uid", 1000),)), "EPERM", None, ZCRX, "q07_rings"),
        Row([SPLIT], Zcrx("nic", 0, fields=(("rx_buf_len", 2048),)), "EINVAL", None, AREA, "q07_rings"),
        Row([SPLIT], Zcrx("nic", 0, fields=(("rx_buf_len", 5000),)), "EINVAL", None, AREA, "q07_rings"),
        Row([SPLIT], Zcrx("nic", 0, fields=(("rx_buf_len", 8192),)), "ERANGE", None, AREA, "q07_rings"),
        Row([SPLIT], Zcrx("nic", 0, fields=(("rx_buf_len", 4096),)), "EOPNOTSUPP", "device does not support: rx_page_size",
            OPEN, "q07_rings"),
        Row([SPLIT], Zcrx("nic", 0, fields=(("rx_buf_len", 8192), ("contiguous", 1 << 20))), "EOPNOTSUPP",
            "device does not support: rx_page_size", OPEN, "q07_rings"),
        Row([SPLIT, Link("nic", False), Zcrx("nic", 0)], Link("nic", True), None, None, "netdev_rx_queue_reconfig()",
            "q07_rings", "nic 0: io-uring"),
        Row([SPLIT, LEASED, Link("lessee", False), Zcrx("lessee", 1)], Link("lessee", True), None, None, REDIRECT,
            "q07_rings", "nic 1: io-uring, lease; lessee 1: io-uring"),
    ],
    "dmabufs": [
        Row([], Bind("nic", (0,)), "EINVAL", "tcp-data-split is disabled", OPEN, "q03_dmabuf"),
        Row([SPLIT], Bind("nic", (0, 2)), None, None, BIND_RX, "q03_dmabuf", "nic 0: dmabuf; nic 2: dmabuf"),
        Row([SPLIT, Bind("nic", (0,))], Bind("nic", (0,)), "EEXIST", "designated queue already memory provider bound", OPEN,
            "q03_dmabuf"),
        Row([SPLIT, Bind("nic", (0,))], Bind("nic", (3, 0)), "EEXIST", "designated queue already memory provider bound",
            OPEN, "q09_dmabufs"),
        Row([SPLIT, LEASED], Bind("nic", (1,)), "EOPNOTSUPP", "Device doesn't support DMA", "net_devmem_bind_dmabuf()",
            "q03_dmabuf"),
        Row([SPLIT, LEASED], Bind("nic", (0, 1)), "EOPNOTSUPP",
            "DMA device mismatch between queue 1 and 0 (multi-PF device?)", DMA, "q09_dmabufs"),
        Row([SPLIT, LEASED], Bind("lessee", (1,)), None, None, REDIRECT, "q03_dmabuf",
            "nic 1: dmabuf, lease; lessee 1: dmabuf"),
        Row([SPLIT, LEASED], Bind("lessee", (0,)), "EOPNOTSUPP", "Device doesn't support DMA", "net_devmem_bind_dmabuf()",
            "q03_dmabuf"),
        Row([SPLIT, LEASED, Lease(2)], Bind("lessee", (1, 2)), None, None, REDIRECT, "q09_dmabufs",
            "nic 1: dmabuf, lease; nic 2: dmabuf, lease; lessee 1: dmabuf; lessee 2: dmabuf"),
        Row([SPLIT, LEASED], Bind("lessee", (1, 0)), "EINVAL", "tcp-data-split is disabled", OPEN, "q09_dmabufs"),
        Row([SPLIT, LEASED], Bind("lessee", (4,)), "EINVAL", None, "netdev_nl_read_rxq_bitmap()", "q09_dmabufs"),
        Row([SPLIT], Bind("lo", (0,)), "EOPNOTSUPP", None, BIND_RX, "n11_bind"),
        Row([SPLIT, Xsk("nic", 0)], Bind("nic", (0,)), "EBUSY", "designated queue already in use by AF_XDP", OPEN, None),
        Row([SPLIT], Bind("nic", (0,), fields=(("fd", 99),)), "EBADF", None, "net_devmem_bind_dmabuf()", "n11_bind"),
        Row([], BindTx("nic"), None, None, BIND_TX, "q03_dmabuf"),
        Row([LEASED], BindTx("lessee"), None, None, "netdev_find_netmem_tx_dev()", "q03_dmabuf"),
        Row([], BindTx("lessee"), "EOPNOTSUPP", "No DMA-capable device found for netmem TX", BIND_TX, "q09_dmabufs"),
        Row([], BindTx("lo"), "EOPNOTSUPP", "Driver does not support netmem TX", BIND_TX, "q09_dmabufs"),
    ],
    "leases of queues in use": [
        Row([Xsk("nic", 0)], Lease(0), "EBUSY", "Device queue in use by AF_XDP", BUSY, "q02_af_xdp"),
        Row([Xsk("nic", 0, 2)], Lease(0), "EBUSY", "Device queue in use by AF_XDP", BUSY, "n12_programs"),
        Row([SPLIT, Zcrx("nic", 0)], Lease(0), "EBUSY", "Device queue in use by memory provider", BUSY, "q01_io_uring"),
        Row([SPLIT, Bind("nic", (0,))], Lease(0), "EBUSY", "Device queue in use by memory provider", BUSY, "q03_dmabuf"),
        Row([LEASED], Lease(1, "peer"), "EBUSY", "Device queue in use due to queue leasing", BUSY, "n07_create_errors"),
        Row([Xsk("nic", 0), End("x")], Lease(0), None, None, BUSY, "n12_programs", "nic 0: lease"),
        Row([SPLIT, Zcrx("nic", 0), End("z")], Lease(0), None, None, BUSY, "q01_io_uring", "nic 0: lease"),
    ],
    "what ethtool refuses meanwhile": [
        Row([SPLIT, Zcrx("nic", 1)], Channels(1), "EINVAL",
            "requested channel counts are too low for existing memory provider setting (2)", CHANNELS, "q01_io_uring"),
        Row([SPLIT, Zcrx("nic", 1)], Channels(2), "EINVAL",
            "requested channel counts are too low for existing memory provider setting (2)", CHANNELS, "q01_io_uring"),
        Row([SPLIT, Zcrx("nic", 1)], Channels(3), None, None, CHANNELS, None, "nic 1: io-uring"),
        Row([LEASED], Channels(1), "EINVAL", "Device queue in use due to queue leasing", BUSY, "e01_channels"),
        Row([Xsk("nic", 3)], Channels(3), "EINVAL", "Device queue in use by AF_XDP", BUSY, "q02_af_xdp"),
        Row([SPLIT, Zcrx("nic", 1)], Rings("disabled"), "EINVAL",
            "can't disable tcp-data-split while device has memory provider enabled", RINGS, "q01_io_uring"),
        Row([SPLIT, Zcrx("nic", 1)], Rings(thresh=10), "EINVAL",
            "can't set non-zero hds_thresh while device is memory provider enabled", RINGS, "q01_io_uring"),
        Row([Xdp("nic")], SPLIT, "EINVAL", "tcp-data-split can not be enabled with single buffer XDP", RINGS, "q10_xdp"),
    ],
    "XDP programs": [
        Row([SPLIT], Xdp("nic"), "EBUSY", "unable to install XDP to device using tcp-data-split", XDP, "q10_xdp"),
        Row([SPLIT], Xdp("nic", (("frags", True),)), None, None, XDP, "q10_xdp"),
        Row([SPLIT, Zcrx("nic", 0)], Xdp("nic", (("frags", True),)), "EBUSY",
            "unable to install XDP to device using memory provider", XDP, "q10_xdp"),
        Row([], Xdp("lessee"), "EOPNOTSUPP", None, NETKIT_XSK, "q10_xdp"),
    ],
    "ends": [
        Row([LEASED, Xsk("lessee", 1)], End("x"), None, None, "xp_clear_dev()", "q02_af_xdp", L),
        Row([SPLIT, LEASED, Zcrx("lessee", 1)], End("z"), None, None, "io_close_queue()", "q01_io_uring", L),
        Row([SPLIT, LEASED, Bind("lessee", (1,), "b")], Close("b"), None, None, "netdev_nl_sock_priv_destroy()",
            "q03_dmabuf", L),
        Row([SPLIT, LEASED, Bind("lessee", (1,), "b")], End("d0", "its descriptor is closed"), None, None,
            "net_devmem_bind_dmabuf()", "q09_dmabufs", "nic 1: dmabuf, lease; lessee 1: dmabuf"),
        Row([LEASED, Xsk("lessee", 1)], Delete("lessee"), None, None, NOTIFIER, "q02_af_xdp", ""),
        Row([SPLIT, LEASED, Zcrx("lessee", 1)], Delete("lessee"), None, None, UNLEASE, "q01_io_uring", ""),
        Row([SPLIT, LEASED, Bind("lessee", (1,))], Delete("lessee"), None, None, UNLEASE, "q09_dmabufs", ""),
        Row([SPLIT, LEASED, Zcrx("lessee", 1), Xsk("nic", 0, 2)], Unplug(), None, None, "netkit_check_lease_unregister()",
            "q04_unplug_in_use", ""),
        Row([SPLIT, LEASED, Zcrx("lessee", 1)], Move("lessee"), None, None, "__dev_change_net_namespace()", "q08_moves",
            "nic 1: io-uring, lease; lessee 1: io-uring"),
        Row([LEASED, Xsk("lessee", 1)], Move("lessee"), None, None, NOTIFIER, "q08_moves", L),
        Row([SPLIT, LEASED, Bind("lessee", (1,))], Move("lessee"), None, None, "__dev_change_net_namespace()", "q08_moves",
            "nic 1: dmabuf, lease; lessee 1: dmabuf"),
        Row([SPLIT, LEASED, Zcrx("lessee", 1)], Move("nic"), None, None, "__dev_change_net_namespace()", "q08_moves",
            "nic 1: io-uring, lease; lessee 1: io-uring"),
        Row([SPLIT, LEASED, Zcrx("lessee", 1), Link("nic", False)], Link("nic", True), None, None, "dev_open()",
            "q07_rings", "nic 1: io-uring, lease; lessee 1: io-uring"),
        Row([LEASED, Xsk("lessee", 1), Link("lessee", False)], Link("lessee", True), None, None, "dev_open()",
            "q02_af_xdp", "nic 1: xsk, lease; lessee 1: xsk"),
    ],
    "NICs that are not netdevsim": [
        Row([Plug("mlx5_core"), SPLIT, LEASED], Zcrx("lessee", 1), None, None, "mlx5e_queue_mgmt_ops", None,
            "nic 1: io-uring, lease; lessee 1: io-uring"),
        Row([Plug("mlx5_core"), LEASED], Xsk("lessee", 1), None, None, "mlx5e_xsk_setup_pool()", None,
            "nic 1: xsk, lease; lessee 1: xsk"),
        Row([Plug("mlx5_core"), SPLIT, Link("nic", False)], Zcrx("nic", 0), "EOPNOTSUPP", None,
            "mlx5e_queue_get_dma_dev()", None),
        Row([Plug("mlx5_core", (("functions", 2),)), SPLIT], Bind("nic", (0, 2)), None, None, DMA, None,
            "nic 0: dmabuf; nic 2: dmabuf"),
        Row([Plug("mlx5_core", (("functions", 2),)), SPLIT], Bind("nic", (0, 1)), "EOPNOTSUPP",
            "DMA device mismatch between queue 1 and 0 (multi-PF device?)", DMA, None),
        Row([Plug("mlx5_core", (("functions", 2),)), SPLIT, LEASED, Lease(2)], Bind("lessee", (1, 2)), "EOPNOTSUPP",
            "DMA device mismatch between queue 2 and 1 (multi-PF device?)", DMA, None),
        Row([Plug("bnxt_en"), Rings(thresh=640)], Zcrx("nic", 0), "EINVAL", "hds-thresh is not zero", OPEN, None),
        Row([Plug("bnxt_en"), SPLIT, LEASED], Zcrx("lessee", 1, fields=(("rx_buf_len", 32768), ("contiguous", 1 << 20))),
            None, None, "bnxt_validate_qcfg()", None, "nic 1: io-uring, lease; lessee 1: io-uring"),
        Row([Plug("bnxt_en"), SPLIT], Zcrx("nic", 0, fields=(("rx_buf_len", 65536), ("contiguous", 1 << 20))), "ERANGE",
            None, "bnxt_validate_qcfg()", None),
        Row([Plug("bnxt_en"), SPLIT, Link("nic", False)], Zcrx("nic", 0), "ENETDOWN", None, "bnxt_queue_mem_alloc()", None),
        Row([Plug("bnxt_en"), LEASED], Xsk("lessee", 1), "EOPNOTSUPP", None, NETKIT_XSK, None),
        Row([Plug("bnxt_en"), LEASED], Xsk("lessee", 1, 0), None, None, NETKIT_XSK, None,
            "nic 1: xsk, lease; lessee 1: xsk"),
        Row([Plug("gve"), SPLIT, Link("nic", False)], Zcrx("nic", 0), "EAGAIN", None, "gve_rx_queue_mem_alloc()", None),
        Row([Plug("fbnic"), SPLIT, LEASED], Bind("lessee", (1,)), None, None, "fbnic_queue_mgmt_ops", None,
            "nic 1: dmabuf, lease; lessee 1: dmabuf"),
        Row([Plug("ice")], Lease(1), "EINVAL", "Lease device does not support queue management operations",
            "netdev_can_lease_queue()", None),
        Row([Plug("ice")], Xsk("nic", 0, 20, words="zero-copy in segments"), None, None, XSK_SOURCE, None, "nic 0: xsk"),
        Row([Plug("ice"), Link("nic", mtu=9000)], Xsk("nic", 0, 20, words="zero-copy in segments"), None, None, XSK_SOURCE,
            None, "nic 0: xsk"),
        Row([Plug("ice"), Link("nic", mtu=9000)], Xsk("nic", 0), "EINVAL", None, XSK_SOURCE, None),
        Row([Plug("ice")], Bind("nic", (0,)), "EOPNOTSUPP", None, BIND_RX, None),
        Row([Plug("ice")], BindTx("nic"), "EOPNOTSUPP", "Driver does not support netmem TX", BIND_TX, None),
        Row([Plug("mlx5_core", (("dma", False),)), SPLIT], Bind("nic", (0,)), "EOPNOTSUPP", "Device doesn't support DMA",
            "net_devmem_bind_dmabuf()", None),
        Row([Plug("mlx5_core", (("queue_mgmt", False),)), SPLIT], Zcrx("nic", 0), "EOPNOTSUPP", None, OPEN, None),
        Row([Plug("mlx5_core"), SPLIT, LEASED, Zcrx("lessee", 1)], Unplug(), None, None, "netkit_check_lease_unregister()",
            None, ""),
    ],
}  # fmt: skip


def table() -> str:
    """The whole table, as it stands in the page."""
    lines: list[str] = []
    for title, rows in SECTIONS.items():
        lines += ["", f"### {title[0].upper()}{title[1:]}", ""]
        lines += ["| given | then | result | queue-get shows | source | trace |", "|---|---|---|---|---|---|"]
        for row in rows:
            given = "; ".join(map(str, row.given))
            result = "ok" if row.errno is None else row.errno + (f": {row.text}" if row.text else "")
            shows = "" if row.shows is None else row.shows or "nothing"
            lines.append(f"| {given} | {row.done} | {result} | {shows} | `{row.source}` | {row.trace or ''} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """The page with the table put into its place."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(FINISH)
    return f"{before}{BEGIN}\n{table()}\n{FINISH}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

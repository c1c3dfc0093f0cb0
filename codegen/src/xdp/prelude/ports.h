// Ports: numbers of the control plane's over interfaces. Fixed when the program is loaded.
#pragma once
#include "bpf.h"

const volatile u32 gw_ports SEC(".rodata") = 0;
const volatile u32 gw_port_ifindex[16] SEC(".rodata") = {};
const volatile u32 gw_port_number[16] SEC(".rodata") = {};

// Interfaces by port number.
struct {
    MAP_NUMBER(type, MAP_DEVMAP);
    MAP_NUMBER(max_entries, 1024);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, u32);
} ports SEC(".maps");

INLINE u32 ingress_port(const struct xdp_md *ctx)
{
    if (gw_testing)
        return gw_port_in;
    if (gw_ports == 1)
        return gw_port_number[0];
    for (int i = 0; i < 16 && i < gw_ports; i++)
        if (gw_port_ifindex[i] == ctx->ingress_ifindex)
            return gw_port_number[i];
    return 0;
}

INLINE int forward(const struct xdp_md *ctx, u32 port)
{
    if (gw_testing) {
        gw_port_out = port;
        return XDP_TX;
    }
    if (LIKELY(port == ingress_port(ctx)))
        return XDP_TX;
    return redirect_map(&ports, port, XDP_DROP) & 7;
}

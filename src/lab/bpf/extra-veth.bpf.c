/* eBPF asks the kernel's routing table and sends the packet through the next interface: into the pod over the pod's
 * veth, not past it. */
#include "track.h"

static __always_inline int forward(struct __sk_buff* skb, struct iphdr* ip) {
  /* tot_len stays 0: segments are cut up later, and the length of what is still whole says nothing about the MTU. */
  struct bpf_fib_lookup route = {
      .family = LAB_AF_INET,
      .l4_protocol = ip->protocol,
      .ifindex = skb->ingress_ifindex,
      .ipv4_src = ip->saddr,
      .ipv4_dst = ip->daddr,
  };
  if (bpf_fib_lookup(skb, &route, sizeof(route), 0) != BPF_FIB_LKUP_RET_SUCCESS) return TC_ACT_OK;
  if (bpf_skb_store_bytes(skb, 0, route.dmac, ETH_ALEN, 0) ||
      bpf_skb_store_bytes(skb, ETH_ALEN, route.smac, ETH_ALEN, 0))
    return TC_ACT_SHOT;
  return bpf_redirect(route.ifindex, 0);
}

SEC("tc/from-pod") int from_pod(struct __sk_buff* skb) {
  struct iphdr* ip = tcp_packet(skb);
  if (!ip) return TC_ACT_OK;
  count(FROM_POD);
  return track(skb, ip) ? forward(skb, ip) : TC_ACT_SHOT;
}

SEC("tc/from-wire") int from_wire(struct __sk_buff* skb) {
  struct iphdr* ip = tcp_packet(skb);
  if (!ip || !is_for_pod(ip)) return TC_ACT_OK;
  count(FROM_WIRE);
  return track(skb, ip) ? forward(skb, ip) : TC_ACT_SHOT;
}

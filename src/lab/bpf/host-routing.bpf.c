/* eBPF carries the packet all the way: out through the wire and its neighbour, in right into the pod. */
#include "track.h"

SEC("tc/from-pod") int from_pod(struct __sk_buff* skb) {
  struct iphdr* ip = tcp_packet(skb);
  if (!ip) return TC_ACT_OK;
  count(FROM_POD);
  if (!track(skb, ip)) return TC_ACT_SHOT;
  return bpf_redirect_neigh(WIRE, NULL, 0, 0);
}

SEC("tc/from-wire") int from_wire(struct __sk_buff* skb) {
  struct iphdr* ip = tcp_packet(skb);
  if (!ip || !is_for_pod(ip)) return TC_ACT_OK;
  count(FROM_WIRE);
  if (!track(skb, ip)) return TC_ACT_SHOT;
  __u8 to[ETH_ALEN] = POD_MAC, from[ETH_ALEN] = VETH_MAC;
  if (bpf_skb_store_bytes(skb, 0, to, ETH_ALEN, 0) || bpf_skb_store_bytes(skb, ETH_ALEN, from, ETH_ALEN, 0))
    return TC_ACT_SHOT;
  return bpf_redirect_peer(POD, 0);
}

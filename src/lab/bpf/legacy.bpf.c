/* eBPF looks at every packet and lets the host's stack carry it on: routing, netfilter and all. */
#include "track.h"

static __always_inline int inspect(struct __sk_buff* skb, enum counter which) {
  struct iphdr* ip = tcp_packet(skb);
  if (!ip) return TC_ACT_OK;
  count(which);
  return track(skb, ip) ? TC_ACT_OK : TC_ACT_SHOT;
}

SEC("tc/from-pod") int from_pod(struct __sk_buff* skb) { return inspect(skb, FROM_POD); }

SEC("tc/to-pod") int to_pod(struct __sk_buff* skb) { return inspect(skb, TO_POD); }

/*
 * What every eBPF path of the lab does with a packet before it decides where to: parse it, count it, look its
 * connection up in a hash table and create it where it is new. So the paths differ only in how a packet goes on.
 *
 * Compiled per node with -DWIRE=<ifindex> -DPOD=<ifindex> -DPOD_ADDRESS=0x... (host order) and both MAC addresses.
 */
#pragma once

/* clang-format off: what follows takes the types of linux/bpf.h for granted. */
#include <linux/bpf.h>
/* clang-format on */

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>

#define LAB_AF_INET 2 /* <sys/socket.h> is not for eBPF */

/* One counter per program: how the lab knows that packets pass through it. */
enum counter { FROM_POD, FROM_WIRE, TO_POD, TO_WIRE, CREATED, COUNTERS };

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, COUNTERS);
  __type(key, __u32);
  __type(value, __u64);
} counters SEC(".maps");

struct flow {
  __u32 source;
  __u32 destination;
  __u32 ports;
};

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 262144);
  __type(key, struct flow);
  __type(value, __u64);
} flows SEC(".maps");

static __always_inline void count(__u32 which) {
  __u64* counter = bpf_map_lookup_elem(&counters, &which);
  if (counter) *counter += 1;
}

/* The IPv4 header of a TCP packet, or NULL; what is not TCP is none of our business. */
static __always_inline struct iphdr* tcp_packet(struct __sk_buff* skb) {
  void* data = (void*)(long)skb->data;
  void* end = (void*)(long)skb->data_end;
  struct ethhdr* ethernet = data;
  struct iphdr* ip = data + sizeof(*ethernet);
  if ((void*)(ip + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP)) return NULL;
  if (ip->protocol != IPPROTO_TCP || ip->ihl != 5) return NULL;
  return ip;
}

/* Connection tracking, the least of it: one entry per direction, created by a SYN. False for TCP that nobody opened. */
static __always_inline int track(struct __sk_buff* skb, struct iphdr* ip) {
  struct tcphdr* tcp = (void*)(ip + 1);
  if ((void*)(tcp + 1) > (void*)(long)skb->data_end) return 0;
  struct flow flow = {ip->saddr, ip->daddr, (__u32)tcp->source << 16 | tcp->dest};
  __u64* seen = bpf_map_lookup_elem(&flows, &flow);
  if (seen) {
    *seen += 1;
    return 1;
  }
  if (!tcp->syn) return 1; /* opened before this program was there, or forgotten by the LRU */
  __u64 first = 1;
  bpf_map_update_elem(&flows, &flow, &first, BPF_ANY);
  count(CREATED);
  return 1;
}

static __always_inline int is_for_pod(const struct iphdr* ip) { return ip->daddr == bpf_htonl(POD_ADDRESS); }

char _license[] SEC("license") = "Dual MIT/GPL";

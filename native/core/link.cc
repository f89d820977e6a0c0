#include "core/link.h"

#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "core/fd.h"

namespace cnb {

namespace {

// The one-word commands of ethtool; each reads without privileges (dev_ethtool() in net/ethtool/ioctl.c).
std::optional<uint32_t> ethtool_word(int fd, const std::string& name, uint32_t command) {
  ethtool_value value{};
  value.cmd = command;
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (ioctl(fd, SIOCETHTOOL, &request) != 0) return std::nullopt;
  return value.data;
}

std::optional<bool> ethtool_flag(int fd, const std::string& name, uint32_t command, uint32_t mask = ~0u) {
  const auto word = ethtool_word(fd, name, command);
  return word ? std::optional((*word & mask) != 0) : std::nullopt;
}

struct QdiscRequest {
  nlmsghdr header;
  tcmsg body;
};

bool ask_for_root_qdisc(int fd, unsigned index) {
  QdiscRequest request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETQDISC;
  // The answer is a notification to the group TC; NLM_F_ECHO sends it here, too (nlmsg_notify() in
  // net/netlink/af_netlink.c).
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ECHO;
  request.body.tcm_family = AF_UNSPEC;
  request.body.tcm_ifindex = static_cast<int>(index);
  request.body.tcm_parent = TC_H_ROOT;
  return send(fd, &request, sizeof request, 0) == sizeof request;
}

// The text of TCA_KIND, or nothing.
std::string kind_of(nlmsghdr* message) {
  auto* body = static_cast<tcmsg*>(NLMSG_DATA(message));
  auto left = static_cast<int>(message->nlmsg_len - NLMSG_LENGTH(sizeof *body));
  for (auto* attribute = TCA_RTA(body); RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    if (attribute->rta_type != TCA_KIND) continue;
    const char* text = static_cast<const char*>(RTA_DATA(attribute));
    return {text, strnlen(text, RTA_PAYLOAD(attribute))};
  }
  return {};
}

// Asks rtnetlink(7). The answer is there when send() returns; MSG_DONTWAIT only guards against one that never comes.
std::string root_qdisc_of(unsigned index) {
  const Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd.valid() || !ask_for_root_qdisc(fd.get(), index)) return {};
  alignas(nlmsghdr) std::array<char, 8192> reply;
  const ssize_t size = recv(fd.get(), reply.data(), reply.size(), MSG_DONTWAIT);
  if (size <= 0) return {};
  auto* message = reinterpret_cast<nlmsghdr*>(reply.data());
  const bool whole = NLMSG_OK(message, static_cast<size_t>(size));
  return whole && message->nlmsg_type == RTM_NEWQDISC ? kind_of(message) : std::string();
}

}  // namespace

LinkFacts link_facts_of(const std::string& name) {
  LinkFacts facts;
  const unsigned index = if_nametoindex(name.c_str());
  const Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (index == 0 || !fd.valid()) return facts;
  facts.tso = ethtool_flag(fd.get(), name, ETHTOOL_GTSO);
  facts.gso = ethtool_flag(fd.get(), name, ETHTOOL_GGSO);
  facts.gro = ethtool_flag(fd.get(), name, ETHTOOL_GGRO);
  facts.lro = ethtool_flag(fd.get(), name, ETHTOOL_GFLAGS, ETH_FLAG_LRO);
  facts.rx_checksum = ethtool_flag(fd.get(), name, ETHTOOL_GRXCSUM);
  facts.tx_checksum = ethtool_flag(fd.get(), name, ETHTOOL_GTXCSUM);
  facts.qdisc = root_qdisc_of(index);
  return facts;
}

}  // namespace cnb

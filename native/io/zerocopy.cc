#include "io/zerocopy.h"

// clang-format off
#include <time.h>  // linux/errqueue.h uses struct timespec without including it
#include <linux/errqueue.h>
// clang-format on
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/socket.h"

namespace cnb {

namespace {

constexpr size_t kPoolBytes = 64 * 1024 * 1024;

bool is_zerocopy_notice(const cmsghdr* header, const sock_extended_err*& notice) {
  const bool ip = header->cmsg_level == SOL_IP && header->cmsg_type == IP_RECVERR;
  const bool ipv6 = header->cmsg_level == SOL_IPV6 && header->cmsg_type == IPV6_RECVERR;
  if (!ip && !ipv6) return false;
  notice = reinterpret_cast<const sock_extended_err*>(CMSG_DATA(header));
  return notice->ee_origin == SO_EE_ORIGIN_ZEROCOPY && notice->ee_errno == 0;
}

}  // namespace

size_t SendSlots::count_for(size_t send_size, size_t flows) {
  return std::clamp<size_t>(kPoolBytes / send_size, 2, kSendsPerFlow / 2 * std::max<size_t>(flows, 1));
}

SendSlots::SendSlots(size_t send_size, Buffer memory) : send_size_(send_size), memory_(std::move(memory)) {
  for (size_t slot = count(); slot-- > 0;) free_.push_back(static_cast<uint32_t>(slot));
}

ZerocopyPool::ZerocopyPool(size_t send_size, size_t flows)
    : slots_(send_size, Buffer(send_size * SendSlots::count_for(send_size, flows))), flows_(flows) {}

void ZerocopyPool::enable(int fd) const { set_int(fd, SOL_SOCKET, SO_ZEROCOPY, 1, "SO_ZEROCOPY"); }

ssize_t ZerocopyPool::send(int fd, int flags) const {
  return ::send(fd, slots_.data(slots_.next()), slots_.send_size(), flags | MSG_ZEROCOPY | MSG_NOSIGNAL);
}

void ZerocopyPool::sent(size_t flow, size_t bytes, ZerocopyCounters& counters) {
  Flow& sender = flows_[flow];
  sender.at(sender.next++) = {bytes, slots_.take(), false, &counters};
  counters.requested.add(bytes);
}

int ZerocopyPool::reap(int fd, size_t flow) {
  for (;;) {
    // One extended error per message: a header, the notice, and room for the offender's address.
    alignas(cmsghdr) uint8_t control[CMSG_SPACE(sizeof(sock_extended_err) + sizeof(sockaddr_in6))];
    msghdr message{};
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return errno;
      break;
    }
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
      const sock_extended_err* notice = nullptr;
      if (!is_zerocopy_notice(header, notice)) continue;
      complete(flows_[flow], notice->ee_info, notice->ee_data, (notice->ee_code & SO_EE_CODE_ZEROCOPY_COPIED) != 0);
    }
  }
  return get_int(fd, SOL_SOCKET, SO_ERROR, "SO_ERROR");
}

void ZerocopyPool::complete(Flow& flow, uint32_t low, uint32_t high, bool copied) {
  // The kernel merges adjacent notices into one range; its numbers wrap, so only differences mean anything.
  const uint32_t in_flight = flow.next - flow.first;
  const uint32_t end = std::min(high - flow.first, in_flight - 1) + 1;
  for (uint32_t i = low - flow.first; in_flight > 0 && i < end; i++) {
    Send& send = flow.at(flow.first + i);
    if (send.done) continue;
    send.done = true;
    (copied ? send.counters->copied : send.counters->zero_copied).add(send.bytes);
    slots_.give_back(send.slot);
  }
  while (flow.first != flow.next && flow.at(flow.first).done) flow.first++;
}

}  // namespace cnb

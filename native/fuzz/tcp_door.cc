// What strangers and clients show on a session's data port before they are let in (admit_flows).

#include <sys/un.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "engine/flow_setup.h"
#include "fuzz/input.h"
#include "fuzz/loopback.h"

namespace cnb::fuzz {

namespace {

constexpr size_t kVisitors = 6;
constexpr uint32_t kFlows = 3;

// The door asks a connection for nothing but its bytes, so that one within the kernel does; TCP would run out of ports.
class Listener {
 public:
  Listener() : fd_(checked(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket")) {
    sockaddr_un any{};
    any.sun_family = AF_UNIX;
    // The kernel finds an abstract name.
    checked(bind(fd_.get(), reinterpret_cast<sockaddr*>(&any), sizeof any.sun_family), "bind");
    checked(listen(fd_.get(), 16), "listen");
    size_ = sizeof name_;
    checked(getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&name_), &size_), "getsockname");
  }

  int fd() const { return fd_.get(); }
  Fd visitor() const {
    Fd fd(checked(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
    checked(connect(fd.get(), reinterpret_cast<const sockaddr*>(&name_), size_), "connect");
    return fd;
  }

 private:
  Fd fd_;
  sockaddr_un name_{};
  socklen_t size_ = 0;
};

// Everything that a visitor has said, and whether it is the flow's right preamble.
struct Visitor {
  Fd fd;
  std::string said;
};

// One step of the world around the door: somebody comes, says something, or goes.
void act(Input& in, const Listener& listener, std::vector<Visitor>& visitors) {
  const uint8_t what = in.byte();
  if (visitors.size() < kVisitors && (visitors.empty() || what % 4 == 0)) visitors.push_back({listener.visitor(), {}});
  Visitor& visitor = visitors[what / 4 % visitors.size()];
  if (what % 4 == 1) {
    visitor.fd.reset();
    return;
  }
  std::string bytes;
  if (what % 4 == 2) {
    bytes.assign(kCookie.begin(), kCookie.end());
    bytes += std::string("\0\0\0", 3) + static_cast<char>(in.byte() % 5);
    bytes.resize(std::min<size_t>(bytes.size(), 1 + in.byte() % 24));
  } else {
    const auto some = in.bytes(in.byte() % 32);
    bytes.assign(some.begin(), some.end());
  }
  if (!visitor.fd.valid() || bytes.empty()) return;
  if (send(visitor.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) visitor.said += bytes;
}

// The flow that a visitor may stand for, or -1.
int64_t right_of(const Visitor& visitor) {
  if (visitor.said.size() < kPreambleBytes) return -1;
  const auto* bytes = reinterpret_cast<const uint8_t*>(visitor.said.data());
  if (std::memcmp(bytes, kCookie.data(), kCookie.size()) != 0) return -1;
  uint32_t flow;
  std::memcpy(&flow, bytes + kCookie.size(), sizeof flow);
  return ntohl(flow) < kFlows ? static_cast<int64_t>(ntohl(flow)) : -1;
}

void run(Input in) {
  static const Listener listener;
  static const Fd wake = raised_event();
  Plan plan;
  plan.role = Role::server;
  plan.loop = LoopKind::rr;
  plan.flows = kFlows;
  plan.cookie = kCookie;
  std::vector<Visitor> visitors;
  int idle = 0;
  // Asked once a turn, as long as nobody is complete.
  const auto cancelled = [&] {
    if (in.empty()) return ++idle > 3;
    act(in, listener, visitors);
    return false;
  };
  const std::vector<Fd> flows = admit_flows(plan, listener.fd(), wake.get(), cancelled);
  std::map<int64_t, size_t> entitled;
  for (const Visitor& visitor : visitors) entitled[right_of(visitor)]++;
  // Let in: all of them or none, and each flow by somebody who knew what to say.
  require(flows.empty() || flows.size() == kFlows);
  for (size_t flow = 0; flow < flows.size(); flow++) {
    require(flows[flow].valid() && entitled[static_cast<int64_t>(flow)] > 0);
  }
  // Those that came in the end and were not looked at.
  for (int fd; (fd = accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) Fd(fd).reset();
}

}  // namespace

}  // namespace cnb::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cnb::fuzz::run(cnb::fuzz::Input(data, size));
  return 0;
}

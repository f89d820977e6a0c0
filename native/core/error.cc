#include "core/error.h"

#include <system_error>

namespace cnb {

namespace {

// std::generic_category is thread-safe, unlike strerror.
std::string describe(const std::string& syscall, int err, const std::string& address) {
  std::string text = syscall;
  if (!address.empty()) text += " " + address;
  return text + ": " + std::generic_category().message(err);
}

}  // namespace

SystemError::SystemError(std::string syscall, int err, std::string address)
    : std::runtime_error(describe(syscall, err, address)),
      syscall_(std::move(syscall)),
      err_(err),
      address_(std::move(address)) {}

void throw_errno(const char* syscall, std::string address) { throw SystemError(syscall, errno, std::move(address)); }

Fault fault_of(const char* phase, const SystemError& error) {
  return {Fault::Reason::system_call, phase, error.syscall(), error.err(), error.address(), error.what()};
}

}  // namespace cnb

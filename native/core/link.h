#pragma once

#include <optional>
#include <string>

namespace cnb {

// How a network interface is set up, as far as everybody may ask. Empty where the kernel or the driver does not tell.
struct LinkFacts {
  std::optional<bool> tso;
  std::optional<bool> gso;
  std::optional<bool> gro;
  std::optional<bool> lro;
  std::optional<bool> rx_checksum;
  std::optional<bool> tx_checksum;
  // Kind of the root queueing discipline, such as "fq".
  std::string qdisc;
};

// Never throws: an interface that is not there has no facts.
LinkFacts link_facts_of(const std::string& name);

}  // namespace cnb

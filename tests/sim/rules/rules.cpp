#include "sim/rules/rules.hpp"

namespace davit::sim {

// In this order they are told: the others read what the journals and the answers say.
Rules::Rules(VirtualLoop& loop, Findings& findings, Observers& observers)
    : journals_(loop, findings),
      acknowledgements_(journals_, findings),
      epochs_(loop, journals_, findings),
      admissions_(findings),
      containers_(loop, findings),
      orders_(journals_, answers_, findings),
      doubles_(loop, findings),
      downings_(loop, findings),
      fences_(findings),
      leases_(findings),
      rollouts_(loop, journals_, findings),
      silences_(loop, journals_, findings),
      takeovers_(loop, journals_, answers_, findings) {
  for (Observer* each :
       std::initializer_list<Observer*>{&journals_, &answers_, &acknowledgements_, &epochs_, &admissions_, &containers_, &orders_,
                                        &doubles_, &downings_, &fences_, &leases_, &rollouts_, &silences_, &takeovers_}) {
    observers.add(*each);
  }
}

void Rules::watch(Cluster& cluster) {
  admissions_.watch(cluster);
  containers_.watch(cluster);
  orders_.watch(cluster);
  doubles_.watch(cluster);
  downings_.watch(cluster);
  epochs_.watch(cluster);
  fences_.watch(cluster);
  leases_.watch(cluster);
  silences_.watch(cluster);
  takeovers_.watch(cluster);
}

void Rules::look() {
  doubles_.look();
  leases_.look();
  orders_.look();
  silences_.look();
  takeovers_.look();
}

}  // namespace davit::sim

import HatchlingDynamics

/// Which operations of the schedule are done fast. Wherever a probe may look, a kernel ends.
extension DirectExecutor {
  public var kernels: [Kernel<DirectExecutor>] {
    let parts = schedule.parts
    return [
      Kernel("receive", schedule.input) { $0.receiveToken(&$2) },
      Kernel("hear", parts.hear) { $0.hear(&$2) },
      Kernel("activate, rotate", parts.turn) { $0.activateAndRotate(&$2) },
      Kernel("read", parts.read) { $0.exchange($1, reads: true, writes: false, &$2) },
      Kernel("write", parts.write) { $0.exchange($1, reads: false, writes: true, &$2) },
      // Damping is lazy: a neuron's weights are damped when it next fires.
      Kernel("forget", parts.forget) { _, _, _ in },
      Kernel("read, write", parts.read + parts.write) { $0.exchange($1, reads: true, writes: true, &$2) },
      Kernel("listen", parts.listen) { $0.listen(&$2) },
      Kernel("gate", parts.gate + parts.field) { $0.gate(&$2) },
      Kernel("read out", schedule.readout) { $0.readOut(&$2) },
    ]
  }
}

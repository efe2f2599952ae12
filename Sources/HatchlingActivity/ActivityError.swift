import HatchlingNumerics

/// A number that decides what is recorded or changed.
public enum ActivitySetting: String, Sendable {
  case every = "every k-th token, k ="
  case surprise = "a bound of the surprise of"
  case change = "a bound of the change of"
  case strongest = "the strongest synapses,"
  case millisecondsPerToken = "milliseconds per token"
  case settingToken = "a weight set at token"
}

/// What cannot be recorded, watched or changed as asked.
public enum ActivityError: InputError, Equatable {
  case unknownQuantity(String, known: [String])
  case badSynapse(String, example: String)
  case badNeuron(String)
  case badSetting(String, example: String)
  case unknownPicture(path: String)
  case noSuchLayer(Int, layers: Int)
  case noSuchNeuron(Int, neurons: Int)
  case noSuchSynapse(String)
  case outOfRange(ActivitySetting, value: String, allowed: String)
  case nothingChosen
  /// Too many plastic synapses for one recording.
  case tooManySynapses(Int, limit: Int)
  case unknownFormat(path: String)
  /// SONATA reports have a constant time step.
  case irregular(path: String)
  case withoutHDF5(path: String)
  case tooLarge(path: String, reason: String)
  /// The network runs on numbers.
  case withoutSpikes
  case unknownSpikes(String, known: [String])

  public var description: String {
    switch self {
    case .unknownQuantity(let name, let known):
      "'\(name)' is nothing that can be recorded; there are \(known.joined(separator: ", "))"
    case .badSynapse(let text, let example): "'\(text)' names no synapse; write for example \(example)"
    case .badSetting(let text, let example): "'\(text)' sets nothing; write for example \(example)"
    case .unknownPicture(let path): "'\(path)': name it .csv, .svg or .png"
    case .badNeuron(let text): "'\(text)' names no neuron; write for example 12 or n12"
    case .noSuchLayer(let layer, let layers): "there is no layer \(layer); the network has 1 … \(layers)"
    case .noSuchNeuron(let neuron, let neurons):
      "there is no neuron \(neuron); the network has \(neurons), counted from 0"
    case .noSuchSynapse(let name): "there is no plastic synapse \(name)"
    case .outOfRange(let what, let value, let allowed): "\(what.rawValue) \(value): \(allowed)"
    case .nothingChosen: "no synapse and no neuron is named"
    case .tooManySynapses(let count, let limit):
      "\(count) plastic synapses are too many for one recording, which takes up to \(limit)"
    case .unknownFormat(let path):
      "'\(path)': the ending chooses the format: .h5 (SONATA), .nwb, .npy or .csv"
    case .irregular(let path):
      "'\(path)': a SONATA report has a constant time step, so surprise and change cannot choose its tokens; take .nwb, .npy or .csv"
    case .withoutHDF5(let path):
      "'\(path)': this program was built without HDF5 (package trait HDF5); write .npy or .csv"
    case .tooLarge(let path, let reason): "'\(path)': \(reason)"
    case .withoutSpikes: "the network does not run on spikes, so there are none to record"
    case .unknownSpikes(let name, let known):
      "'\(name)' sends no spikes that can be recorded; \(known.joined(separator: ", ")) do, or all"
    }
  }
}

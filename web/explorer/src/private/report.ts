/** What report.json says, as evaluation/report.py writes it. Private. */

export interface Band {
  least: number;
  most: number | null;
  combinations: number;
  mean_error: number;
  lost: number;
}

interface Compared {
  length: number;
  groups: number;
  groups_in_all: number;
  mean_error: number;
  lost: number;
  made_up: number;
}

export interface RecordsOfLength extends Compared {
  combinations: number;
  made_up_weight: number;
  bands: Band[];
}

export interface CountsOfLength extends Compared {
  published: number;
  mean_error_published: number;
  inside: number;
}

export interface TableReport {
  table: string;
  people: number;
  records: number;
  lengths: RecordsOfLength[];
  counts: CountsOfLength[];
}

export interface LinksReport {
  victims: number;
  links: number;
  synthetic_victims: number;
  synthetic_links: number;
  above: number;
  dropped: number;
  across: { groups: number; combinations: number; mean_error: number; independent: number; made_up_weight: number };
  within_made_up_weight: number;
  number: { true: number[]; synthetic: number[]; distance: number };
  concordance: { attribute: string; true: number | null; synthetic: number | null; independent: number | null }[];
  counts: { of: string; published: number; mean_error: number; inside: number; made_up: number }[];
}

export interface Share {
  times: number;
  trials: number;
  value: number;
}

export interface Excess {
  value: number;
  lower: number;
  upper: number;
}

export interface AttackResult {
  attack: string;
  table: string;
  column: string | null;
  across: boolean;
  success: Share | null;
  control: Share | null;
  without: number | null;
  excess: Excess | null;
  unknown: string | null;
  distance: number | null;
  control_distance: number | null;
  verdict: string;
}

export interface AttacksReport {
  control: string;
  results: AttackResult[];
  targets: Record<string, number>;
  control_people: number | null;
  also_in: number | null;
  miss: number;
  headlines: { attack: string; table: string; verdict: string; found_in: string[] }[];
}

export interface Report {
  /** People from whom on a combination that no record has counts as lost. */
  frequent: number;
  subject: string;
  tables: TableReport[];
  links: LinksReport | null;
  left_out: string[];
  undeclared: string[];
  attacks: AttacksReport | null;
}

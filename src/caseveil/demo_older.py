"""The part of the demo's plan that gives the older format: one row per victim, perpetrators run together."""

from __future__ import annotations

FLATTENED_TEXT = """
# The older format, for people who have programs for it: data/flattened.csv, one row per victim, 16 columns. Every
# section below is one of its columns, made from the released tables, so it costs no privacy.
#   from      where its values come from. Of perpetrators a cell holds what all those of the victim have between
#             them, such as "Female;Male": which of them was the recruiter can no longer be told.
#   recode    values that the older format writes otherwise; others stay as they are.
#   has, yes  the cell says only whether any perpetrator (or the victim) has this value: "1" for yes, empty otherwise.

[flattened.yearRegister]
from = "victims.year_of_registration"
meaning = "Year of registration, in groups"
[flattened.yearRegister.recode]
2015 = "2014-2018"
2016 = "2014-2018"
2017 = "2014-2018"
2018 = "2014-2018"
2021 = "2021-2022"
2022 = "2021-2022"
2023 = "2023-2024"
2024 = "2023-2024"

[flattened.gender]
from = "victims.gender"
meaning = "Gender of the victim"

[flattened.majorityStatus]
from = "victims.age"
meaning = "Whether the victim was of age"
[flattened.majorityStatus.recode]
"0--8" = "Minor"
"9--17" = "Minor"
"18--20" = "Adult"
"21--23" = "Adult"
"24--26" = "Adult"
"27--29" = "Adult"
"30--38" = "Adult"
"39--47" = "Adult"
"48+" = "Adult"

[flattened.isForcedLabour]
from = "victims.forced_labour"
has = "Yes"
yes = "1"
meaning = "Forced labour of the victim"

[flattened.isSexualExploit]
from = "victims.sexual_exploitation"
has = "Yes"
yes = "1"
meaning = "Sexual exploitation of the victim"

[flattened.UN_COO_Region]
from = "victims.citizenship_region"
recode = { Americas = "Americas/Oceania", Oceania = "Americas/Oceania" }
meaning = "UN region of the victim's citizenship"

[flattened.UN_COE_Region]
from = "victims.exploitation_region"
recode = { Americas = "Americas/Oceania", Oceania = "Americas/Oceania" }
meaning = "UN region of the exploitation"

[flattened.IP_Exploiter]
from = "perpetrators.role"
has = "Exploiter"
yes = "1"
meaning = "A perpetrator exploited"

[flattened.IP_Gender]
from = "perpetrators.gender"
meaning = "Genders of the perpetrators"

# The older format cuts ages at 30, 39 and 48; these cases are recorded in other groups, so the cuts are their own.
[flattened.IP_ageBroad]
from = "perpetrators.age_group"
meaning = "Age groups of the perpetrators"
[flattened.IP_ageBroad.recode]
"Under 18" = "0--29"
"18 to 29" = "0--29"
"30 to 44" = "30--44"
"45 and over" = "45+"

[flattened.IP_citizen_UNRegion]
from = "perpetrators.citizenship_region"
recode = { Americas = "Americas/Oceania", Oceania = "Americas/Oceania" }
meaning = "UN regions of the perpetrators' citizenships"

[flattened.IP_Relation]
from = "perpetrators.relation_to_victim"
meaning = "Who the perpetrators were to the victim"
[flattened.IP_Relation.recode]
Family = "FamilyIntimatePartner"
"Intimate partner" = "FamilyIntimatePartner"
Acquaintance = "FriendAcquaintance"
"Employer or agency" = "StrangerUnknownOther"
Stranger = "StrangerUnknownOther"

[flattened.IP_PayMoney]
from = "perpetrators.paid"
meaning = "Whether the victim paid a perpetrator"

[flattened.IP_RecruiterBroker]
from = "perpetrators.role"
has = "Recruiter"
yes = "1"
meaning = "A perpetrator recruited or acted as a broker"

[flattened.IP_TransactionProcess]
from = "perpetrators.role"
has = "Transporter"
yes = "1"
meaning = "A perpetrator transported, harboured, sold or received"

[flattened.IP_ControlAbuseKidnap]
from = "perpetrators.role"
has = "Controller"
yes = "1"
meaning = "A perpetrator controlled, abused or kidnapped"
"""
"""Sections [flattened.*] of release.toml: one for each column of the older format."""

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

namespace payroll {

class Employee {
public:
    Employee(std::string name, std::string department)
        : name_(std::move(name)), department_(std::move(department)) {}
    virtual ~Employee() = default;

    const std::string& name() const noexcept { return name_; }
    const std::string& department() const noexcept { return department_; }

    virtual double monthly_pay() const = 0;
    virtual std::string title() const = 0;

private:
    std::string name_;
    std::string department_;
};

class SalariedEmployee : public Employee {
public:
    SalariedEmployee(std::string name, std::string department, double yearly_salary)
        : Employee(std::move(name), std::move(department)), yearly_salary_(yearly_salary) {}

    double monthly_pay() const override { return yearly_salary_ / 12.0; }
    std::string title() const override { return "salaried"; }

private:
    double yearly_salary_;
};

class HourlyEmployee : public Employee {
public:
    HourlyEmployee(std::string name, std::string department, double rate, double hours)
        : Employee(std::move(name), std::move(department)), rate_(rate), hours_(hours) {}

    double monthly_pay() const override
    {
        // everything above 160 hours is paid one and a half times
        const double overtime = std::max(0.0, hours_ - kRegularHours);
        return rate_ * (hours_ - overtime) + 1.5 * rate_ * overtime;
    }

    std::string title() const override { return "hourly"; }

private:
    static constexpr double kRegularHours = 160.0;
    double rate_;
    double hours_;
};

using Staff = std::vector<std::unique_ptr<Employee>>;

double total_pay(const Staff& staff)
{
    return std::accumulate(staff.begin(), staff.end(), 0.0,
                           [](double sum, const auto& e) { return sum + e->monthly_pay(); });
}

std::map<std::string, double> pay_by_department(const Staff& staff)
{
    std::map<std::string, double> result;
    for (const auto& employee : staff) {
        result[employee->department()] += employee->monthly_pay();
    }
    return result;
}

void sort_by_pay(Staff& staff)
{
    std::sort(staff.begin(), staff.end(), [](const auto& a, const auto& b) {
        return a->monthly_pay() > b->monthly_pay();
    });
}

}  // namespace payroll

int main()
{
    using namespace payroll;

    Staff staff;
    staff.push_back(std::make_unique<SalariedEmployee>("Ines Costa", "Engineering", 72000));
    staff.push_back(std::make_unique<HourlyEmployee>("Jan Novak", "Warehouse", 19.5, 172));
    staff.push_back(std::make_unique<HourlyEmployee>("Amira Haddad", "Warehouse", 21.0, 120));
    sort_by_pay(staff);

    std::cout << std::fixed << std::setprecision(2);
    for (const auto& employee : staff) {
        std::cout << std::left << std::setw(20) << employee->name() << std::setw(10)
                  << employee->title() << std::right << std::setw(10) << employee->monthly_pay()
                  << '\n';
    }
    for (const auto& [department, pay] : pay_by_department(staff)) {
        std::cout << department << ": " << pay << '\n';
    }
    std::cout << "Total: " << total_pay(staff) << std::endl;
    return 0;
}
